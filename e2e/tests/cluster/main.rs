//! What the product promises, on a real cluster. Each test has a namespace of its own; they run side by side.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod admission;
mod agreement;
mod arguments;
mod audit;
mod boundary;
mod budgets;
mod chart_values;
mod charts;
mod commands;
mod conditions;
mod install;
mod orphans;
mod pods;
mod replicas;
mod revocation;
mod rules;
mod sandbox;
mod secrecy;
mod status;
mod story;
mod tenants;
mod webhook;
