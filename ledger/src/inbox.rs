//! Messages that a channel accepted and has not answered yet. One process delivers a message at a time.

mod api;
mod rules;
pub(crate) mod sqlite;
mod store;

pub use rules::MOST_WAITING;
pub(crate) use rules::WAIT;
pub use store::{Acceptance, ClaimedRow, InboxStore, MessageClaim, MessageLease};
