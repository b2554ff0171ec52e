//! The policies of all bots: published by the compiler, streamed to gateways, acknowledged by digest.
//!
//! With its policy a gateway gets the roster of those who may call it; the ledger gets the roster of everybody.
//!
//! **Architecture invariant:** a bot's gateways get that bot's policy and no other, and never one of a lower version than
//! they were sent before. Nothing is streamed before every namespace has been compiled once in this term, so that a
//! new leader never takes a bot for a deleted one.

mod draft;
mod enrolment;
mod hub;
mod places;
mod service;
mod standing;
mod stream;
#[cfg(test)]
mod tests;

pub use draft::{Draft, FieldSource, Opening, Openings};
pub use enrolment::EnrolmentService;
pub use hub::{Hub, Published, Refused, Session};
pub use service::PolicyService;
pub(crate) use service::leading;
pub use standing::{ReplicaStanding, Standing};
