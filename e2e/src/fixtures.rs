//! Servers for the tests. Each keeps a record of every request, byte for byte.

pub mod github;
pub mod inbox;
mod json;
pub mod model;
pub mod recording;
