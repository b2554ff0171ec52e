//! How much of a turn is the gateway's own: all of it but the time in which a model or a tool was waited for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Runs from its making; calls side by side are waited for once.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    started: Instant,
    waited: Arc<Mutex<Waited>>,
}

#[derive(Debug, Default)]
struct Waited {
    waiting: usize,
    since: Option<Instant>,
    sum: Duration,
}

/// Somebody else's time until it is dropped.
#[must_use = "a wait that is dropped at once takes no time"]
pub(super) struct Wait(Clock);

impl Default for Clock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            waited: Arc::default(),
        }
    }
}

impl Clock {
    /// A model or a tool is waited for.
    pub(super) fn wait(&self) -> Wait {
        let mut waited = self.waited();
        waited.waiting = waited.waiting.saturating_add(1);
        waited.since.get_or_insert_with(Instant::now);
        Wait(self.clone())
    }

    /// The gateway's own share so far.
    pub(super) fn own(&self) -> Duration {
        let waited = self.waited();
        let running = waited.since.map_or(Duration::ZERO, |since| since.elapsed());
        self.started
            .elapsed()
            .saturating_sub(waited.sum.saturating_add(running))
    }

    fn waited(&self) -> MutexGuard<'_, Waited> {
        self.waited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut waited = self.0.waited();
        waited.waiting = waited.waiting.saturating_sub(1);
        if waited.waiting == 0 {
            let waited_for = waited
                .since
                .take()
                .map_or(Duration::ZERO, |since| since.elapsed());
            waited.sum = waited.sum.saturating_add(waited_for);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(40);

    #[test]
    fn what_is_waited_for_side_by_side_counts_once() {
        let clock = Clock::default();
        let (first, second) = (clock.wait(), clock.wait());
        std::thread::sleep(STEP);
        drop(first);
        std::thread::sleep(STEP);
        assert!(clock.own() < STEP, "{:?}", clock.own());
        drop(second);
        let before = clock.own();
        assert!(before < STEP, "{before:?}");
        std::thread::sleep(STEP);
        assert!(clock.own() >= STEP);
    }
}
