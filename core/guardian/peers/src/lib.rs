//! Guardian beside other permission engines: one rule in 1 to 1,000 policies, of which the last one permits.
//!
//! Every engine is used in the fastest way that its public interface offers, with everything compiled before the clock starts,
//! and is handed a call as JSON text. [`agreement`] shows that they say the same before any of them is measured.

#![expect(
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a benchmark that cannot be set up is a failed benchmark"
)]

pub mod agreement;
pub mod latency;
pub mod peer;
pub mod report;
#[path = "../../benches/fixture/rule.rs"]
pub mod rule;

/// How many policies are tried.
pub const POLICIES: [usize; 4] = [1, 10, 100, 1_000];
