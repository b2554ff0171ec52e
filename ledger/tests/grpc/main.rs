//! The ledger over its real port: gRPC with mutual TLS, certificates of a real authority, a real SQLite file.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code outside of cfg(test)"
)]

mod answers;
mod audit;
mod budgets;
mod callers;
mod dismissal;
mod failure;
mod installation;
mod tenants;
