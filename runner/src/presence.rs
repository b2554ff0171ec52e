//! Ready while attached to at least one gateway.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use monstrum_service::{Readiness, Token};

/// Why the process is not ready.
const UNREADY: &str = "not attached to a gateway";

/// How many gateways the runner is attached to, as its readiness.
#[derive(Debug, Clone)]
pub(crate) struct Presence {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    readiness: Readiness,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    attached: usize,
    unready: Option<Token>,
}

/// Counts as attached until it is dropped.
pub(crate) struct Attached(Presence);

impl Presence {
    /// Attached to none, and so not ready.
    pub(crate) fn new(readiness: Readiness) -> Self {
        let unready = Some(readiness.block(UNREADY));
        let held = Mutex::new(Held { attached: 0, unready });
        Self {
            inner: Arc::new(Inner { readiness, held }),
        }
    }

    /// Attached to one more.
    pub(crate) fn enter(&self) -> Attached {
        let mut held = self.lock();
        held.attached = held.attached.saturating_add(1);
        held.unready = None;
        Attached(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.inner.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let mut held = self.0.lock();
        held.attached = held.attached.saturating_sub(1);
        if held.attached == 0 {
            held.unready = Some(self.0.inner.readiness.block(UNREADY));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_while_attached_to_one() {
        let readiness = Readiness::default();
        let presence = Presence::new(readiness.clone());
        assert_eq!(readiness.reasons(), [UNREADY]);
        let (first, second) = (presence.enter(), presence.enter());
        assert!(readiness.reasons().is_empty());
        drop(first);
        assert!(readiness.reasons().is_empty());
        drop(second);
        assert_eq!(readiness.reasons(), [UNREADY]);
    }
}
