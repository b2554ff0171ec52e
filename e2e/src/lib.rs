//! What the tests on a real cluster stand on: servers that they talk to, and a harness that drives the cluster.
//!
//! The servers (`monstrum-fixtures`) run as pods: a scripted model that speaks the providers' wire formats, a
//! GitHub-shaped API that records what reaches it, and an inbox for webhook answers.

#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test support: indexing JSON gives null, and counters are small"
)]

pub mod agentdojo;
pub mod fixtures;
pub mod harness;
pub mod measure;
