//! The operator: compiles every bot's policy, streams it, provisions the pods that enforce it, opens their credentials.
//!
//! Data flows one way: the [`index`] mirrors the API server; the [`compiler`] turns each namespace into policies in the
//! [`policy`] hub; [`kinds`] turns each object into objects of ours ([`child`]) and a [`status`]. All replicas watch and
//! answer [`admission`]; only the holder of the lease ([`leadership`]) writes, streams and opens the [`vault`]. Whoever asks for
//! something must be in the [`roster`]: its object is there, and its certificate the one issued last.
//!
//! **Architecture invariant:** the `spec` of an object that a user owns is never written, and a second look at
//! unchanged objects writes nothing.

pub mod admission;
mod args;
pub mod child;
mod claim;
pub mod compiler;
mod complaints;
mod definitions;
mod endpoint;
mod events;
#[cfg(test)]
mod fake_api;
mod identity;
pub mod index;
pub mod installation;
pub mod kinds;
mod labour;
pub mod leadership;
mod ledger_identity;
mod lookout;
pub mod metrics;
mod network;
#[cfg(test)]
mod pod_security;
pub mod policy;
mod process;
mod queue;
pub mod roster;
#[cfg(test)]
mod scenario;
pub mod status;
pub mod trust;
pub mod vault;
mod workload;

pub use args::{ImageArgs, OperatorArgs};
pub use process::{StartError, start};
