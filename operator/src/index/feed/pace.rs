//! How long each step of a watch may take, all from the lease of a policy.

use std::time::Duration;

use tokio::time::Instant;

/// A watch that was answered and has not failed for this long stands: a refusal comes with the answer.
pub(super) const SETTLED: Duration = Duration::from_millis(100);
/// A request to watch that ended sooner counts as one that failed.
pub(super) const SHORT: Duration = Duration::from_secs(1);
/// The API server may end a request to watch this much later than asked.
pub(super) const GRACE: Duration = Duration::from_secs(3);

/// The API server sends a bookmark two seconds before it ends a request; a shorter one has none.
const SHORTEST_WATCH: u64 = 5;
/// Longer ones would save nothing worth having.
const LONGEST_WATCH: u64 = 30;

/// How long each step of a watch may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// One request to watch.
    pub(super) watch_seconds: u32,
    /// Without a proof for this long it is listed again.
    pub(super) list_again: Duration,
    /// The answer to a request to watch, or to a probe.
    pub(super) answer: Duration,
    /// The answer to the request for one page of a list.
    pub(super) page: Duration,
}

impl Pace {
    /// So that a proof is never older than two thirds of the lease while the API server is well: the last third is for the
    /// renewal to arrive.
    pub(crate) fn of(lease: Duration) -> Self {
        let part = |parts: u32| lease.checked_div(parts).unwrap_or(lease);
        let watch = part(4).as_secs().clamp(SHORTEST_WATCH, LONGEST_WATCH);
        Self {
            watch_seconds: u32::try_from(watch).unwrap_or(u32::MAX),
            list_again: part(3).saturating_mul(2),
            answer: part(4),
            page: part(2),
        }
    }

    /// When a request to watch that was sent at `asked` has surely ended, if anybody is there to end it.
    pub(super) fn end_of_watch(self, asked: Instant) -> Instant {
        let after = self.watch().saturating_add(GRACE);
        asked.checked_add(after).unwrap_or(asked)
    }

    /// A request that ended no earlier was ended by the API server, and not cut.
    pub(super) fn due_end(self) -> Duration {
        self.watch().saturating_sub(SHORT)
    }

    fn watch(self) -> Duration {
        Duration::from_secs(u64::from(self.watch_seconds))
    }
}

/// How long to wait after failures: little at first, since a policy may wait for it.
pub(super) struct Backoff(Duration);

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LAST_WAIT: Duration = Duration::from_secs(10);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST_WAIT)
    }
}

impl Backoff {
    /// Doubles from [`FIRST_WAIT`] to [`LAST_WAIT`].
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.0;
        self.0 = wait.saturating_mul(2).min(LAST_WAIT);
        wait
    }

    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}
