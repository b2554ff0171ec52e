//! The ledger's clock: microseconds since the Unix epoch, never going back while the process lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// An instant in microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// The instant this many microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This much later; the end of time at most.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros_of(span)))
    }

    /// This much earlier; the beginning of time at least.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros_of(span)))
    }
}

fn micros_of(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// The system's clock, held at its highest reading when it is set back.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    highest: Arc<AtomicI64>,
}

impl Clock {
    /// The present.
    pub fn now(&self) -> Moment {
        let read = jiff::Timestamp::now().as_microsecond();
        Moment(self.highest.fetch_max(read, Ordering::Relaxed).max(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_stands_still() {
        let clock = Clock::default();
        let ahead = clock.now().after(Duration::from_hours(1));
        clock.highest.store(ahead.micros(), Ordering::Relaxed);
        assert_eq!(clock.now(), ahead);
    }
}
