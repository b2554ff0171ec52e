//! Monstrum's custom resources: group `monstrum.dev`, version `v1alpha1`.
//!
//! [`kinds`] are the objects as Rust types, [`definition`] the `CustomResourceDefinition`s that are installed,
//! [`conditions`] the words of their status. [`mod@validate`] says what is wrong with one object beyond what its schema
//! and CEL rules can say; [`convert`] turns the objects of one namespace into what the permission engine compiles.
//!
//! **Architecture invariant:** everything here is pure. The same objects give the same faults and the same policy
//! source in the operator, in the admission webhook, on the command line and in a test.

pub mod conditions;
pub mod definition;
pub mod kinds;
pub mod schema;
pub mod validate;
