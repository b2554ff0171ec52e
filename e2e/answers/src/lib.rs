//! Answers of models as their providers write them, for tests: in the ordinary forms, and in those of which public trouble reports tell.

#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test support: indexing JSON gives null, and counters are small"
)]

pub mod anthropic;
mod call_forms;
mod error_forms;
mod form;
pub mod openai;
mod reply;
mod respond;

pub use form::{Form, Wire};
pub use reply::{Dialect, Reply, ReplyCall};
