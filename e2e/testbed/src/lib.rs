//! A gateway with everything around it, in one process, over real mutual TLS: an operator, a ledger, a model, runners. For the
//! services' own tests, which need no cluster.
#![expect(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::pedantic,
    reason = "support of tests"
)]

pub mod inbox;
pub mod ledger;
pub mod model;
pub mod operator;
pub mod policies;
pub mod runner;
pub mod world;
