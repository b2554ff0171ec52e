//! Sessions: one writer at a time, and the messages in their order.

mod api;
mod rules;
pub(crate) mod sqlite;
mod store;

pub(crate) use api::lease;
pub(crate) use rules::LeaseRow;
pub use store::{Acquired, Advance, Claim, Opened, SessionLease, SessionStore, Tail};
