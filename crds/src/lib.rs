//! Monstrum's custom resources: group `monstrum.dev`, version `v1alpha1`.
//!
//! [`kinds`] are the objects as Rust types, [`definition`] the `CustomResourceDefinition`s that are installed,
//! [`conditions`] the words of their status. A [`world::World`] holds the objects of one namespace and the contracts of
//! the cluster. [`mod@validate`] says what is wrong with one object beyond what its schema and CEL rules can say;
//! [`convert`] turns a world into what the permission engine compiles, and [`comparison`] says what other objects would permit more.
//!
//! **Architecture invariant:** everything here is pure. The same objects give the same faults and the same policy
//! source in the operator, in the admission webhook, on the command line and in a test.

pub mod comparison;
pub mod conditions;
pub mod consent;
pub mod contract;
pub mod convert;
pub mod definition;
#[expect(
    unreachable_pub,
    reason = "the KubeSchema derive repeats each struct inside a function"
)]
#[expect(
    clippy::duplicated_attributes,
    reason = "several printer columns are of one type"
)]
#[expect(
    clippy::doc_markdown,
    reason = "the docs are what kubectl explain prints, where names of kinds are plain words"
)]
pub mod kinds;
pub mod object;
pub mod placement;
pub mod schema;
pub mod validate;
pub mod world;
