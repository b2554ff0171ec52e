//! Quotas and budgets: use is reserved before an effect and settled after it.

mod api;
mod rules;
pub(crate) mod sqlite;
mod store;

pub(crate) use api::{charges, keep, uses};
pub use store::{Charge, CounterKey, CounterOf, QuotaStore, Use};
