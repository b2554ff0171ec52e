//! How long single checks take, each timed by itself.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::peer::{Guardian, Peer as _};
use crate::rule;

/// How many checks are timed.
pub const CHECKS: u32 = 2_000_000;
/// How many go before, untimed.
const WARM_UP: u32 = 200_000;

/// The times of single checks in nanoseconds, clock included.
pub fn of_guardian(policies: usize) -> Histogram<u64> {
    let mut guardian = Guardian::new(policies);
    let arguments = rule::arguments(policies - 1, 42);
    timed(|| assert!(guardian.permits(black_box(&arguments))))
}

/// What the clock alone makes of nothing.
pub fn of_nothing() -> Histogram<u64> {
    timed(|| {})
}

fn timed(mut check: impl FnMut()) -> Histogram<u64> {
    let mut times =
        Histogram::new_with_bounds(1, 1_000_000_000, 3).unwrap_or_else(|error| panic!("bounds: {error}"));
    for _ in 0..WARM_UP {
        check();
    }
    for _ in 0..CHECKS {
        let start = Instant::now();
        check();
        times.saturating_record(nanoseconds(start.elapsed()));
    }
    times
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
