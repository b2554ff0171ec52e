//! The audit chain, one per bot.

mod api;
pub mod chain;
pub mod excerpt;
pub(crate) mod sqlite;
mod store;

pub(crate) use api::record;
pub use store::{AuditStore, Page};
