//! A gateway with everything around it, in one process, over real mutual TLS: an operator, a ledger, a model, runners.

pub mod inbox;
pub mod ledger;
pub mod model;
pub mod operator;
pub mod policies;
pub mod process;
pub mod runner;
pub mod world;
