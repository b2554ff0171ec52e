//! Which namespaces must be compiled anew, and since when.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// Which namespaces must be compiled anew.
#[derive(Debug, Default)]
pub struct Dirt {
    namespaces: Mutex<BTreeMap<String, Instant>>,
    marked: Notify,
}

impl Dirt {
    /// Marks a namespace; the first mark's time is kept.
    pub fn mark(&self, namespace: &str) {
        self.mark_since(namespace, Instant::now());
    }

    /// Marks a namespace for something that was seen at `since`.
    pub fn mark_since(&self, namespace: &str, since: Instant) {
        let mut namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        namespaces.entry(namespace.to_owned()).or_insert(since);
        drop(namespaces);
        self.marked.notify_one();
    }

    /// Resolves when something is marked.
    pub async fn marked(&self) {
        loop {
            let notified = self.marked.notified();
            if !self.namespaces.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                return;
            }
            notified.await;
        }
    }

    /// Takes everything that is marked.
    pub fn take(&self) -> BTreeMap<String, Instant> {
        std::mem::take(&mut *self.namespaces.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
