//! Which namespaces must be compiled anew, and since when.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// Which namespaces must be compiled anew.
#[derive(Debug, Default)]
pub struct Dirt {
    namespaces: Mutex<Namespaces>,
    marked: Notify,
}

#[derive(Debug, Default)]
struct Namespaces {
    waiting: BTreeMap<String, Mark>,
    /// Taken, and not done yet.
    taken: BTreeMap<String, Mark>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    /// When the first change was seen.
    since: Instant,
    /// When it may be compiled.
    due: Instant,
    /// As of when the policies are known to be right that were compiled before; none when they are not.
    right: Option<Instant>,
}

impl Dirt {
    /// Marks a namespace, now; the first mark's time is kept. `right` is as of when what was compiled before is right.
    pub fn mark(&self, namespace: &str, right: Option<Instant>) {
        self.mark_at(namespace, Instant::now(), right);
    }

    /// Marks a namespace to be compiled no earlier than `due`, unless another mark says earlier.
    pub fn mark_at(&self, namespace: &str, due: Instant, right: Option<Instant>) {
        let mark = Mark {
            since: Instant::now(),
            due,
            right,
        };
        self.namespaces().wait(namespace.to_owned(), mark);
        self.marked.notify_one();
    }

    /// Resolves when a mark is due.
    pub async fn marked(&self) {
        loop {
            let notified = self.marked.notified();
            let next = self.namespaces().waiting.values().map(|mark| mark.due).min();
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

    /// Takes the marks that are due: since when each namespace waits. Each ends with [`Dirt::done`] or [`Dirt::postpone`].
    pub fn take(&self) -> BTreeMap<String, Instant> {
        let now = Instant::now();
        let mut namespaces = self.namespaces();
        let due: Vec<(String, Mark)> = namespaces
            .waiting
            .iter()
            .filter(|(_, mark)| mark.due <= now)
            .map(|(namespace, mark)| (namespace.clone(), *mark))
            .collect();
        for (namespace, mark) in &due {
            namespaces.waiting.remove(namespace);
            namespaces.taken.insert(namespace.clone(), *mark);
        }
        due.into_iter()
            .map(|(namespace, mark)| (namespace, mark.since))
            .collect()
    }

    /// A namespace is compiled.
    pub fn done(&self, namespace: &str) {
        self.namespaces().taken.remove(namespace);
    }

    /// A namespace can't be compiled before `due`.
    pub fn postpone(&self, namespace: &str, due: Instant) {
        let mut namespaces = self.namespaces();
        if let Some(mark) = namespaces.taken.remove(namespace) {
            namespaces.wait(namespace.to_owned(), Mark { due, ..mark });
        }
        drop(namespaces);
        self.marked.notify_one();
    }

    /// As of when a namespace's policies are right, when that is less than what is known of it: a change of it is not
    /// compiled yet.
    pub fn right(&self, namespace: &str) -> Option<Option<Instant>> {
        let namespaces = self.namespaces();
        let marks = [&namespaces.waiting, &namespaces.taken];
        // None sorts before every instant.
        marks
            .into_iter()
            .filter_map(|marks| marks.get(namespace))
            .map(|mark| mark.right)
            .min()
    }

    fn namespaces(&self) -> MutexGuard<'_, Namespaces> {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Namespaces {
    fn wait(&mut self, namespace: String, new: Mark) {
        let mark = self.waiting.entry(namespace).or_insert(new);
        mark.since = mark.since.min(new.since);
        mark.due = mark.due.min(new.due);
        mark.right = mark.right.min(new.right);
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
        dirt.mark("a", None);
        tokio::time::advance(Duration::from_secs(1)).await;
        dirt.mark("a", None);
        dirt.marked().await;
        assert_eq!(dirt.take().get("a"), Some(&first));
        assert!(dirt.take().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_mark_waits_and_holds_up_nothing() {
        let dirt = Dirt::default();
        let start = Instant::now();
        dirt.mark_at("later", start + Duration::from_secs(1), None);
        dirt.mark("now", None);
        dirt.marked().await;
        assert_eq!(dirt.take().into_keys().collect::<Vec<_>>(), ["now"]);
        dirt.marked().await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        assert_eq!(dirt.take().into_keys().collect::<Vec<_>>(), ["later"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_compiled_before_a_change_is_not_right_beyond_it() {
        let dirt = Dirt::default();
        let (early, late) = (Instant::now(), Instant::now() + Duration::from_secs(9));
        assert_eq!(dirt.right("a"), None);
        dirt.mark("a", Some(early));
        dirt.mark("a", Some(late));
        assert_eq!(dirt.right("a"), Some(Some(early)));
        dirt.take();
        assert_eq!(dirt.right("a"), Some(Some(early)), "taken is not compiled");
        dirt.mark("a", Some(late));
        assert_eq!(dirt.right("a"), Some(Some(early)));
        dirt.done("a");
        assert_eq!(dirt.right("a"), Some(Some(late)), "a change of meanwhile");
        dirt.mark("a", None);
        assert_eq!(dirt.right("a"), Some(None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_postponed_comes_again_with_its_first_sight() {
        let dirt = Dirt::default();
        let first = Instant::now();
        dirt.mark("a", None);
        dirt.take();
        dirt.postpone("a", first + Duration::from_secs(1));
        assert!(dirt.take().is_empty());
        dirt.marked().await;
        assert_eq!(first.elapsed(), Duration::from_secs(1));
        assert_eq!(dirt.take().get("a"), Some(&first));
    }
}
