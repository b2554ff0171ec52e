//! What processes agree on that share no crate otherwise: each executor, one file or folder for each, and settings that the operator writes
//! and another process reads.
//!
//! The operator asks an executor's contract what may stand in a resource type and in a resource, which pod the calls run in, and what that
//! pod reaches on the network. The runner parses with the same types, fills the same templates, and refuses by the same lists. So nothing
//! becomes Ready of which every call would fail.
//!
//! **Architecture invariant:** everything here is pure, and no other crate but the runner knows a particular executor.

pub mod channel;
pub mod egress;
mod executor;
pub mod headers;
pub mod http;
mod reach;
pub mod schema;
mod settings;
pub mod shell;
pub mod template;
pub mod tool;
mod web;

pub use executor::{
    CredentialMethod, EXECUTORS, ExecutorContract, Executors, Placement, RESERVED, TypeParts,
};
pub use http::presentation::Presentation;
pub use monstrum_guardian::FieldFault as Fault;
pub use reach::{Address, Place, Ports, Reach};
pub use settings::read;
pub use web::{authority_fault, http_url, http_url_fault};
