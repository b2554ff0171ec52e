//! One caller's flood makes that caller wait, and nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests of one caller that are worked on at a time; its others wait for these.
const WIDTH: usize = 64;

/// Lanes that are remembered before those that nobody uses are dropped.
const REMEMBERED: usize = 1024;

/// A lane for each caller.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes {
    lanes: Arc<Mutex<HashMap<String, Weak<Semaphore>>>>,
}

/// A place in a lane, held while the request is worked on. None only if the lane was closed, which nobody does.
pub(crate) type Place = Option<OwnedSemaphorePermit>;

impl Lanes {
    /// Waits for a place in the caller's lane.
    pub(crate) async fn enter(&self, caller: &str) -> Place {
        self.lane(caller).acquire_owned().await.ok()
    }

    fn lane(&self, caller: &str) -> Arc<Semaphore> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(caller).and_then(Weak::upgrade) {
            return lane;
        }
        if lanes.len() >= REMEMBERED {
            lanes.retain(|_, lane| lane.strong_count() > 0);
        }
        let lane = Arc::new(Semaphore::new(WIDTH));
        lanes.insert(caller.to_owned(), Arc::downgrade(&lane));
        lane
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn a_full_lane_makes_only_its_own_caller_wait() {
        let lanes = Lanes::default();
        let mut places = Vec::new();
        for _ in 0..WIDTH {
            places.push(lanes.enter("bot/a/flood").await.unwrap());
        }
        assert!(lanes.enter("bot/a/flood").now_or_never().is_none());
        assert!(lanes.enter("bot/a/calm").now_or_never().unwrap().is_some());
        places.pop();
        assert!(lanes.enter("bot/a/flood").now_or_never().unwrap().is_some());
    }

    #[tokio::test]
    async fn lanes_that_nobody_uses_are_dropped() {
        let lanes = Lanes::default();
        let _place = lanes.enter("busy").await;
        for n in 0..(3 * REMEMBERED) {
            drop(lanes.enter(&format!("bot/{n}")).await);
        }
        let kept = lanes.lanes.lock().unwrap();
        assert!(kept.len() <= REMEMBERED);
        assert!(kept.contains_key("busy"));
    }
}
