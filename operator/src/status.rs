//! What users are told: conditions on every object, events on changes of reason, written only where something changed.

mod governed;
mod message;
mod writer;

pub use governed::Governed;
pub use writer::{StatusError, StatusWriter};
