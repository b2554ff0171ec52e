//! The built binary, on files. No cluster is needed.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod audit;
mod boundary;
mod colour;
mod dead;
mod diff;
mod explain;
mod help;
mod policy;
mod readme;
mod recipe;
mod run;
mod slips;
mod validate;
