//! Ids that can be taken once.

mod api;
mod rules;
pub(crate) mod sqlite;
mod store;

pub(crate) use api::{asked, ticket};
pub use store::{Holding, OnceStore, Ticket};
