//! Opens credentials for identified callers, for the length of a lease.
//!
//! A gateway gets what its bot's current policy names, in exactly the version that it names, and nothing else. The secret is
//! read from the API server at that moment and kept nowhere here.

mod opener;
mod service;

pub use opener::{OpenError, OpenedField, Opener};
pub use service::VaultService;

#[cfg(test)]
mod tests;
