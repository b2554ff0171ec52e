//! The policies of all bots: published by the compiler, streamed to gateways, acknowledged by digest.
//!
//! With its policy a gateway gets the roster of those who may call it; the ledger gets the roster of everybody.
//!
//! **Architecture invariant:** a bot's gateways get that bot's policy and no other, and never one of a lower version than
//! they were sent before. Nothing of a namespace is streamed before everything that it depends on was listed and compiled in
//! this term, so that a new leader never takes a bot for a deleted one; and nothing is handed out for longer than from when
//! it was last known to be current ([`Mandate`]).

mod draft;
mod enrolment;
mod hub;
mod mandate;
mod places;
mod service;
mod standing;
mod stream;
#[cfg(test)]
mod tests;

pub use draft::{Draft, FieldSource, Opening, Openings};
pub use enrolment::EnrolmentService;
pub use hub::{Hub, Published, Refused, Session};
pub use mandate::{Lease, Mandate};
pub use service::PolicyService;
pub use standing::{ReplicaStanding, Standing};
