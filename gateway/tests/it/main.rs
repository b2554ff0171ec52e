//! The gateway through its public faces.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::pedantic,
    reason = "tests and their support"
)]

mod identities;
mod threats;
mod turn_answers;
mod turn_budgets;
mod turn_calls;
mod turn_effects;
mod turn_failures;
mod turn_policy;
mod turn_relays;
mod turn_requests;

use monstrum_testbed as support;
