//! Calls: recorded as started before their effect and as finished after it, each once.

mod api;
mod rules;
pub(crate) mod sqlite;
mod store;

pub use store::{CallEnd, CallStart, CallStore, Outcome, Reserve};
