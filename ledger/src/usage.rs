//! What models used.

mod api;
pub(crate) mod sqlite;
mod store;

pub(crate) use api::row;
pub use store::UsageStore;
