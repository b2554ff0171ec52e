//! Which namespaces must be compiled anew, and since when.

use std::collections::{BTreeMap, BTreeSet};
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

    /// Resolves when a mark is due of a namespace that is not among those that are `busy`; says since when the one waits that
    /// waits longest.
    pub async fn marked(&self, busy: &BTreeSet<String>) -> Instant {
        loop {
            let notified = self.marked.notified();
            let now = Instant::now();
            let next = {
                let namespaces = self.namespaces();
                if let Some(since) = namespaces.due(busy, now).map(|(_, mark)| mark.since).min() {
                    return since;
                }
                namespaces.free(busy).map(|(_, mark)| mark.due).min()
            };
            match next {
                Some(due) => tokio::select! {
                    () = notified => {}
                    () = tokio::time::sleep_until(due) => {}
                },
                None => notified.await,
            }
        }
    }

    /// Takes the marks that are due, at most so many, of namespaces that are not `busy`: since when each waits, the longest first, so
    /// that whoever is marked again and again keeps nobody from his turn. Each ends with [`Dirt::done`] or [`Dirt::postpone`].
    pub fn take(&self, busy: &BTreeSet<String>, most: usize) -> Vec<(String, Instant)> {
        let mut namespaces = self.namespaces();
        let mut due: Vec<(String, Mark)> = namespaces
            .due(busy, Instant::now())
            .map(|(namespace, mark)| (namespace.clone(), *mark))
            .collect();
        due.sort_by_key(|(_, mark)| mark.since);
        due.truncate(most);
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

#[cfg(test)]
impl Dirt {
    /// Takes everything that is due.
    pub(crate) fn take_all(&self) -> BTreeMap<String, Instant> {
        self.take(&BTreeSet::new(), usize::MAX).into_iter().collect()
    }
}

impl Namespaces {
    fn free<'a>(&'a self, busy: &'a BTreeSet<String>) -> impl Iterator<Item = (&'a String, &'a Mark)> {
        let waiting = self.waiting.iter();
        waiting.filter(|(namespace, _)| !busy.contains(*namespace))
    }

    fn due<'a>(
        &'a self,
        busy: &'a BTreeSet<String>,
        now: Instant,
    ) -> impl Iterator<Item = (&'a String, &'a Mark)> {
        self.free(busy).filter(move |(_, mark)| mark.due <= now)
    }

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
        dirt.marked(&BTreeSet::new()).await;
        assert_eq!(dirt.take_all().get("a"), Some(&first));
        assert!(dirt.take_all().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_mark_waits_and_holds_up_nothing() {
        let dirt = Dirt::default();
        let start = Instant::now();
        dirt.mark_at("later", start + Duration::from_secs(1), None);
        dirt.mark("now", None);
        dirt.marked(&BTreeSet::new()).await;
        assert_eq!(dirt.take_all().into_keys().collect::<Vec<_>>(), ["now"]);
        dirt.marked(&BTreeSet::new()).await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        assert_eq!(dirt.take_all().into_keys().collect::<Vec<_>>(), ["later"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_compiled_before_a_change_is_not_right_beyond_it() {
        let dirt = Dirt::default();
        let (early, late) = (Instant::now(), Instant::now() + Duration::from_secs(9));
        assert_eq!(dirt.right("a"), None);
        dirt.mark("a", Some(early));
        dirt.mark("a", Some(late));
        assert_eq!(dirt.right("a"), Some(Some(early)));
        dirt.take_all();
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
        dirt.take_all();
        dirt.postpone("a", first + Duration::from_secs(1));
        assert!(dirt.take_all().is_empty());
        dirt.marked(&BTreeSet::new()).await;
        assert_eq!(first.elapsed(), Duration::from_secs(1));
        assert_eq!(dirt.take_all().get("a"), Some(&first));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_longest_comes_first_and_nobody_twice_at_once() {
        let dirt = Dirt::default();
        let start = Instant::now();
        for namespace in ["c", "b", "a"] {
            dirt.mark(namespace, None);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let mut busy = BTreeSet::new();
        assert_eq!(dirt.marked(&busy).await, start);
        let taken: Vec<_> = dirt.take(&busy, 2).into_iter().map(|(name, _)| name).collect();
        assert_eq!(taken, ["c", "b"]);
        busy.extend(taken);
        // What changes meanwhile is kept, and waits for its turn behind those that never had one.
        dirt.mark("c", None);
        assert_eq!(
            dirt.take(&busy, 9),
            [("a".to_owned(), start + Duration::from_secs(2))]
        );
        busy.insert("a".to_owned());
        assert!(
            tokio::time::timeout(Duration::from_secs(9), dirt.marked(&busy))
                .await
                .is_err()
        );
        busy.clear();
        assert_eq!(dirt.marked(&busy).await, start + Duration::from_secs(3));
    }
}
