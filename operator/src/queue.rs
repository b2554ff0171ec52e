//! What is to be reconciled: each key once at a time, and again when it changed meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The first wait after a failure; doubled with each further one.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest wait after failures.
const LAST_DELAY: Duration = Duration::from_secs(120);

/// Keys that wait for a worker.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    due: BTreeMap<T, Instant>,
    running: BTreeSet<T>,
    failures: BTreeMap<T, u32>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let state = State {
            due: BTreeMap::new(),
            running: BTreeSet::new(),
            failures: BTreeMap::new(),
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }
}

impl<T: Ord + Clone> Queue<T> {
    /// Puts a key in, for now.
    pub fn push(&self, key: T) {
        self.push_after(key, Duration::ZERO);
    }

    /// Puts a key in for later, unless it is due earlier anyway.
    pub fn push_after(&self, key: T, delay: Duration) {
        let now = Instant::now();
        let at = now.checked_add(delay).unwrap_or(now);
        let mut state = self.state();
        let due = state.due.entry(key).or_insert(at);
        *due = at.min(*due);
        drop(state);
        self.changed.notify_one();
    }

    /// Puts a key in again after a failure, with back-off.
    pub fn push_failed(&self, key: T) {
        let delay = {
            let mut state = self.state();
            let failures = state.failures.entry(key.clone()).or_insert(0);
            *failures = failures.saturating_add(1);
            back_off(*failures)
        };
        self.push_after(key, delay);
    }

    /// Forgets the failures of a key.
    pub fn succeeded(&self, key: &T) {
        self.state().failures.remove(key);
    }

    /// The next key that is due and that nobody works on. Give it back with [`Queue::done`].
    pub async fn next(&self) -> T {
        loop {
            let notified = self.changed.notified();
            let wait = match self.state().take(Instant::now()) {
                Ok(key) => return key,
                Err(wait) => wait,
            };
            match wait {
                Some(at) => tokio::select! {
                    () = notified => {}
                    () = tokio::time::sleep_until(at) => {}
                },
                None => notified.await,
            }
        }
    }

    /// Ends the work on a key; what was put in meanwhile is due now.
    pub fn done(&self, key: &T) {
        let mut state = self.state();
        state.running.remove(key);
        drop(state);
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Ord + Clone> State<T> {
    /// The key that has been due longest, or when the next one will be.
    fn take(&mut self, now: Instant) -> Result<T, Option<Instant>> {
        let free = self.due.iter().filter(|(key, _)| !self.running.contains(key));
        let Some((key, at)) = free
            .min_by_key(|(_, at)| **at)
            .map(|(key, at)| (key.clone(), *at))
        else {
            return Err(None);
        };
        if at > now {
            return Err(Some(at));
        }
        self.due.remove(&key);
        self.running.insert(key.clone());
        Ok(key)
    }
}

/// 1 s, 2 s, 4 s … 2 min, each less up to a quarter so that failures of one cause spread.
fn back_off(failures: u32) -> Duration {
    let doubled =
        FIRST_DELAY.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let whole = doubled.min(LAST_DELAY);
    let spread = whole.checked_div(4).unwrap_or_default();
    whole.saturating_sub(spread.mul_f64(fraction()))
}

fn fraction() -> f64 {
    let random = uuid::Uuid::new_v4();
    f64::from(u16::from_be_bytes([random.as_bytes()[0], random.as_bytes()[1]])) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_key_runs_once_at_a_time_and_again_when_it_changed() {
        let queue = Queue::default();
        queue.push("a");
        queue.push("a");
        assert_eq!(queue.next().await, "a");
        queue.push("a");
        queue.push("b");
        assert_eq!(queue.next().await, "b");
        assert!(
            tokio::time::timeout(Duration::from_secs(5), queue.next())
                .await
                .is_err()
        );
        queue.done(&"a");
        assert_eq!(queue.next().await, "a");
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_time_never_delays_an_earlier_one() {
        let queue = Queue::default();
        queue.push_after("a", Duration::from_secs(60));
        queue.push_after("a", Duration::from_secs(600));
        let start = Instant::now();
        queue.next().await;
        assert_eq!(start.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_tried_again_later_and_later() {
        let queue = Queue::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            let start = Instant::now();
            queue.push_failed("a");
            queue.next().await;
            queue.done(&"a");
            waits.push(start.elapsed());
        }
        assert!(waits.first().is_some_and(|wait| *wait <= Duration::from_secs(1)));
        assert!(
            waits
                .last()
                .is_some_and(|wait| *wait >= Duration::from_secs(90) && *wait <= LAST_DELAY)
        );
        queue.succeeded(&"a");
        let start = Instant::now();
        queue.push_failed("a");
        queue.next().await;
        assert!(start.elapsed() <= Duration::from_secs(1));
    }
}
