//! Who leads: one operator at a time writes, streams policies and opens credentials; the others keep warm.
//!
//! A lease on `coordination/v1`, written only over the exact version that was read. A leader that can't renew in time
//! ends its process, before any other may lead. The number of transitions is the epoch of its policies.
//!
//! Why two never act: a leader's term counts from before the renewal was sent, and lasts for the deadline; another process takes
//! the lease only after it has seen the same version of it for the lease's whole length, which is longer. Both are measured
//! by the clock of the process that measures, so that clocks need not agree.

mod attempt;
mod candidate;
mod lease;
#[cfg(test)]
mod tests;
mod timing;

use tokio::sync::watch;
use tokio::time::Instant;

pub use candidate::{Candidate, LeadershipError};
pub use timing::{Timing, TimingError};

/// One time of leading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Rises with every change of leader.
    pub epoch: u64,
    /// Until when nobody else can lead.
    until: Instant,
}

/// Whether this process leads, for its parts.
#[derive(Debug, Clone)]
pub struct Leadership {
    term: watch::Receiver<Option<Term>>,
}

impl Leadership {
    /// The epoch of the running term; none when this process does not lead at this instant.
    pub fn epoch(&self) -> Option<u64> {
        self.term
            .borrow()
            .filter(|term| Instant::now() < term.until)
            .map(|term| term.epoch)
    }

    /// Resolves with the epoch once this process leads; never, when the election ended.
    pub async fn won(&self) -> u64 {
        let mut term = self.term.clone();
        loop {
            if let Some(epoch) = self.epoch() {
                return epoch;
            }
            if term.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// A leadership that is held for ever, for tests of what only a leader does.
    #[cfg(test)]
    pub(crate) fn held(epoch: u64) -> Self {
        let until = Instant::now()
            .checked_add(std::time::Duration::from_secs(86_400))
            .unwrap();
        Self {
            term: watch::channel(Some(Term { epoch, until })).1,
        }
    }

    /// A follower's.
    #[cfg(test)]
    pub(crate) fn followed() -> Self {
        Self {
            term: watch::channel(None).1,
        }
    }
}
