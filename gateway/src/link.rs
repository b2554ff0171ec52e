//! The runners that dialled in: one stream each, calls out, output back.

mod attached;
mod peers;
mod service;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use monstrum_service::Peer;
use tokio::sync::watch;
use tokio::time::Instant;

pub use attached::{Attached, Effect, Ending, FromCall, Heard, NotSent, Running};
pub use peers::Peers;
pub use service::LinkService;

/// Streams of one runner name that are kept at once: its replicas, with room for reconnects.
const MAX_STREAMS: usize = 16;

/// Every runner that is connected.
#[derive(Debug, Clone)]
pub struct Link {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    runners: Mutex<HashMap<String, Vec<Arc<Attached>>>>,
    arrivals: watch::Sender<u64>,
}

/// Why a runner could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// None is connected.
    #[error("no runner {0:?} is connected")]
    Absent(String),
    /// Those that are connected can't run it.
    #[error("no connected runner {runner:?} has the executor {executor:?}")]
    Unable {
        /// The runner's name.
        runner: String,
        /// What it lacks.
        executor: String,
    },
}

/// Too many streams of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many streams of this runner")]
pub struct Crowded;

impl Default for Link {
    fn default() -> Self {
        let inner = Inner {
            runners: Mutex::default(),
            arrivals: watch::Sender::new(0),
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}

impl Link {
    /// The least busy runner of this name that has the executor; waits a little for one to dial in.
    pub async fn reach(
        &self,
        runner: &str,
        executor: &str,
        patience: Duration,
    ) -> Result<Arc<Attached>, Unreachable> {
        let mut arrivals = self.inner.arrivals.subscribe();
        let now = Instant::now();
        let until = now.checked_add(patience).unwrap_or(now);
        loop {
            let missing = match self.find(runner, executor) {
                Ok(found) => return Ok(found),
                Err(missing) => missing,
            };
            match tokio::time::timeout_at(until, arrivals.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Err(missing),
            }
        }
    }

    /// The names of connected runners, in order.
    pub fn connected(&self) -> Vec<String> {
        let mut names: Vec<String> = self.lock().keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// One more effect of a call, if a runner of this name runs it and may ask about more of them.
    pub fn effect(&self, runner: &str, call_id: &str) -> Option<Effect> {
        let runners = self.lock();
        let mut streams = runners.get(runner).into_iter().flatten();
        streams.find_map(|attached| attached.effect(call_id))
    }

    /// Gives no more calls to those whom `refuse` names, and ends their streams when the calls that they have are done.
    pub fn retire(&self, refuse: impl Fn(&Peer) -> bool) {
        for attached in self
            .lock()
            .values()
            .flatten()
            .filter(|attached| refuse(attached.peer()))
        {
            attached.retire();
        }
    }

    /// Ends all streams.
    pub fn close(&self) {
        for attached in self.lock().drain().flat_map(|(_, streams)| streams) {
            attached.detach();
        }
    }

    fn add(&self, attached: Arc<Attached>) -> Result<(), Crowded> {
        {
            let mut runners = self.lock();
            let streams = runners.entry(attached.runner().to_owned()).or_default();
            if streams.len() >= MAX_STREAMS {
                return Err(Crowded);
            }
            streams.push(attached);
        }
        self.inner
            .arrivals
            .send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }

    fn remove(&self, attached: &Arc<Attached>) {
        let mut runners = self.lock();
        if let Some(streams) = runners.get_mut(attached.runner()) {
            streams.retain(|known| !Arc::ptr_eq(known, attached));
            if streams.is_empty() {
                runners.remove(attached.runner());
            }
        }
    }

    fn find(&self, runner: &str, executor: &str) -> Result<Arc<Attached>, Unreachable> {
        let runners = self.lock();
        let streams = runners
            .get(runner)
            .ok_or_else(|| Unreachable::Absent(runner.to_owned()))?;
        let able = streams
            .iter()
            .filter(|attached| attached.takes_calls() && attached.has(executor));
        able.min_by_key(|attached| attached.load())
            .map(Arc::clone)
            .ok_or_else(|| Unreachable::Unable {
                runner: runner.to_owned(),
                executor: executor.to_owned(),
            })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Attached>>>> {
        self.inner.runners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
