//! The ledger over its real port: gRPC with mutual TLS, certificates of a real authority, a real SQLite file.

mod answers;
mod audit;
mod callers;
mod failure;
mod installation;
mod tenants;
