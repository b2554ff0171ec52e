//! Which namespaces must be compiled anew, and since when.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// Which namespaces must be compiled anew.
#[derive(Debug, Default)]
pub struct Dirt {
    namespaces: Mutex<BTreeMap<String, Mark>>,
    marked: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    /// When the first change was seen.
    since: Instant,
    /// When it may be compiled.
    due: Instant,
}

impl Dirt {
    /// Marks a namespace, now; the first mark's time is kept.
    pub fn mark(&self, namespace: &str) {
        self.mark_at(namespace, Instant::now());
    }

    /// Marks a namespace to be compiled no earlier than `due`, unless another mark says earlier.
    pub fn mark_at(&self, namespace: &str, due: Instant) {
        let mut namespaces = self.namespaces();
        let mark = namespaces.entry(namespace.to_owned()).or_insert(Mark {
            since: Instant::now(),
            due,
        });
        mark.due = mark.due.min(due);
        drop(namespaces);
        self.marked.notify_one();
    }

    /// Resolves when a mark is due.
    pub async fn marked(&self) {
        loop {
            let notified = self.marked.notified();
            let next = self.namespaces().values().map(|mark| mark.due).min();
            match next {
                Some(due) if due <= Instant::now() => return,
                Some(due) => tokio::select! {
                    () = notified => {}
                    () = tokio::time::sleep_until(due) => {}
                },
                None => notified.await,
            }
        }
    }

    /// Takes the marks that are due: since when each namespace waits.
    pub fn take(&self) -> BTreeMap<String, Instant> {
        let now = Instant::now();
        let mut namespaces = self.namespaces();
        let due: Vec<String> = namespaces
            .iter()
            .filter(|(_, mark)| mark.due <= now)
            .map(|(namespace, _)| namespace.clone())
            .collect();
        due.into_iter()
            .filter_map(|name| namespaces.remove(&name).map(|mark| (name, mark.since)))
            .collect()
    }

    fn namespaces(&self) -> MutexGuard<'_, BTreeMap<String, Mark>> {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_first_sight_of_a_change_is_kept() {
        let dirt = Dirt::default();
        let first = Instant::now();
        dirt.mark("a");
        tokio::time::advance(Duration::from_secs(1)).await;
        dirt.mark("a");
        dirt.marked().await;
        assert_eq!(dirt.take().get("a"), Some(&first));
        assert!(dirt.take().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_mark_waits_and_holds_up_nothing() {
        let dirt = Dirt::default();
        let start = Instant::now();
        dirt.mark_at("later", start + Duration::from_secs(1));
        dirt.mark("now");
        dirt.marked().await;
        assert_eq!(dirt.take().into_keys().collect::<Vec<_>>(), ["now"]);
        dirt.marked().await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        assert_eq!(dirt.take().into_keys().collect::<Vec<_>>(), ["later"]);
    }
}
