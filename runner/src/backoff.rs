//! How long to wait before attaching again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);
/// A stream that held this long was a good one.
const GOOD: Duration = Duration::from_secs(10);

/// Doubles from 0.2 s to 10 s; starts again after a stream that held.
#[derive(Debug)]
pub(crate) struct Backoff {
    ceiling: Duration,
    attached_at: Option<Instant>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            ceiling: FIRST,
            attached_at: None,
        }
    }
}

impl Backoff {
    /// A stream began.
    pub(crate) fn attached(&mut self) {
        self.attached_at = Some(Instant::now());
    }

    /// It ended.
    pub(crate) fn detached(&mut self) {
        if self
            .attached_at
            .take()
            .is_some_and(|began| began.elapsed() >= GOOD)
        {
            self.ceiling = FIRST;
        }
    }

    /// The next wait: between half of the ceiling and all of it, at least 0.2 s.
    pub(crate) fn next(&mut self) -> Duration {
        let ceiling = self.ceiling;
        self.ceiling = ceiling.saturating_mul(2).min(LONGEST);
        // The standard library's hash keys are random; a share of 0..=1023 in 2048 is jitter enough.
        let share = u32::try_from(RandomState::new().hash_one(()) & 1023).unwrap_or_default();
        let jitter = ceiling
            .saturating_mul(share)
            .checked_div(2048)
            .unwrap_or_default();
        ceiling.saturating_sub(jitter).max(FIRST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_start_again_after_a_good_stream() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..12).map(|_| backoff.next()).collect();
        assert!(
            waits.iter().all(|wait| (FIRST..=LONGEST).contains(wait)),
            "{waits:?}"
        );
        assert_eq!(waits[0], FIRST);
        assert!(waits[11] >= LONGEST / 2, "{waits:?}");
        backoff.attached();
        backoff.detached();
        assert!(
            backoff.next() >= LONGEST / 2,
            "a stream that breaks at once is no success"
        );
        backoff.attached_at = Instant::now().checked_sub(GOOD);
        backoff.detached();
        assert_eq!(backoff.next(), FIRST);
    }

    #[test]
    fn two_runners_do_not_wait_alike() {
        let waits = |_| {
            let mut backoff = Backoff {
                ceiling: LONGEST,
                attached_at: None,
            };
            backoff.next()
        };
        let all: std::collections::BTreeSet<Duration> = (0..16).map(waits).collect();
        assert!(all.len() > 1);
    }
}
