//! How much of what others write is kept in memory, in bytes.
//!
//! Whoever may create an object of a kind that is watched decides how large it is. So what is kept is counted, of each namespace
//! and of all together. A namespace that is larger than it may be is *over*: what does not fit is not kept, and nothing is
//! done for the namespace, since half of what is there would be another policy than all of it. The others go on. Where all together are too
//! large, it is the largest namespace that is over.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use monstrum_crds::object::Kind;
use serde::Serialize;

/// What nobody reaches who does not try to, with a memory limit of 256 MiB.
const NAMESPACE: usize = 8 << 20;
const TOTAL: usize = 32 << 20;

/// How many bytes are kept.
#[derive(Debug)]
pub struct Budget {
    namespace: usize,
    total: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    namespaces: BTreeMap<String, Account>,
    kept: usize,
    /// Something that was not kept would fit.
    wish: bool,
}

/// One namespace.
#[derive(Debug, Default)]
struct Account {
    objects: BTreeMap<(&'static str, String), Entry>,
    weight: usize,
    kept: usize,
    over: Option<Bound>,
    /// It would fit again, and is being listed.
    returning: bool,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    weight: usize,
    kept: bool,
}

/// What a namespace does not fit into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Namespace,
    Total,
}

/// What becomes of an object that was seen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether it is kept.
    pub(crate) keep: bool,
    /// A namespace of which nothing is kept any more but the objects that tell why.
    pub(crate) evict: Option<String>,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(NAMESPACE, TOTAL)
    }
}

impl Budget {
    /// So many bytes of each namespace, and of all together.
    pub fn new(namespace: usize, total: usize) -> Self {
        Self {
            namespace,
            total,
            state: Mutex::default(),
        }
    }

    /// Why nothing is done for a namespace, if it is too large.
    pub fn overrun(&self, namespace: &str) -> Option<String> {
        let state = self.state();
        let account = state.namespaces.get(namespace)?;
        let (what, most) = match account.over? {
            Bound::Namespace => ("one namespace", self.namespace),
            Bound::Total => ("all namespaces together", self.total),
        };
        Some(format!(
            "the objects and Secrets' metadata of this namespace take {} bytes, and of {what} the operator keeps {most} at most: \
             delete what is not needed, or raise the operator's budget",
            account.weight
        ))
    }

    /// How much is kept.
    pub fn kept(&self) -> usize {
        self.state().kept
    }

    /// An object of a namespace was seen that takes `weight` bytes.
    pub(crate) fn put(&self, kind: &'static str, namespace: &str, name: &str, weight: usize) -> Verdict {
        let mut state = self.state();
        state.take(kind, namespace, name);
        let (most, total, before) = (self.namespace, self.total, state.kept);
        let account = state.namespaces.entry(namespace.to_owned()).or_default();
        account.weight = account.weight.saturating_add(weight);
        let mut keep = account.kept.saturating_add(weight) <= most;
        if account.weight > most {
            account.over = Some(Bound::Namespace);
        }
        let mut evict = None;
        if keep && before.saturating_add(weight) > total {
            evict = state.relieve(namespace, weight);
            keep = state.kept.saturating_add(weight) <= total;
            if !keep {
                let account = state.namespaces.entry(namespace.to_owned()).or_default();
                account.over.get_or_insert(Bound::Total);
            }
        }
        state.enter((kind, namespace, name), Entry { weight, kept: keep });
        state.settle(namespace, most, total);
        Verdict { keep, evict }
    }

    /// An object is gone.
    pub(crate) fn remove(&self, kind: &'static str, namespace: &str, name: &str) {
        let mut state = self.state();
        state.take(kind, namespace, name);
        let over = state
            .namespaces
            .iter()
            .filter(|(_, account)| account.over.is_some());
        let names: Vec<String> = over.map(|(name, _)| name.clone()).collect();
        for name in names {
            state.settle(&name, self.namespace, self.total);
        }
        state.namespaces.retain(|_, account| !account.objects.is_empty());
    }

    /// Whether everything should be listed again, since something that was not kept would fit; true once.
    pub(crate) fn wishes_for_a_list(&self) -> bool {
        std::mem::take(&mut self.state().wish)
    }

    /// The objects of a kind that are counted, of a namespace or of all.
    pub(crate) fn places(&self, kind: &'static str, scope: Option<&str>) -> Vec<(String, String)> {
        let state = self.state();
        let accounts = state
            .namespaces
            .iter()
            .filter(|(namespace, _)| scope.is_none_or(|scope| scope == namespace.as_str()));
        accounts
            .flat_map(|(namespace, account)| {
                let of_kind = account.objects.keys().filter(|(other, _)| *other == kind);
                of_kind.map(|(_, name)| (namespace.clone(), name.clone()))
            })
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// Gives up everything but the objects of our kinds, whose status tells why; answers how much that was.
    fn evict(&mut self) -> usize {
        let mut freed = 0_usize;
        for ((kind, _), entry) in &mut self.objects {
            if entry.kept && is_evictable(kind) {
                entry.kept = false;
                freed = freed.saturating_add(entry.weight);
            }
        }
        self.kept = self.kept.saturating_sub(freed);
        freed
    }
}

/// Whether nobody is told of objects of a kind in their status.
fn is_evictable(kind: &str) -> bool {
    Kind::ALL.iter().all(|ours| ours.as_str() != kind)
}

impl State {
    fn take(&mut self, kind: &'static str, namespace: &str, name: &str) {
        let Some(account) = self.namespaces.get_mut(namespace) else {
            return;
        };
        let Some(entry) = account.objects.remove(&(kind, name.to_owned())) else {
            return;
        };
        account.weight = account.weight.saturating_sub(entry.weight);
        if entry.kept {
            account.kept = account.kept.saturating_sub(entry.weight);
            self.kept = self.kept.saturating_sub(entry.weight);
        }
    }

    fn enter(&mut self, (kind, namespace, name): (&'static str, &str, &str), entry: Entry) {
        let account = self.namespaces.entry(namespace.to_owned()).or_default();
        account.objects.insert((kind, name.to_owned()), entry);
        if entry.kept {
            account.kept = account.kept.saturating_add(entry.weight);
            self.kept = self.kept.saturating_add(entry.weight);
        }
    }

    /// Makes room by the largest namespace, unless that is `namespace` itself with what it asks for; answers which has to
    /// be evicted.
    fn relieve(&mut self, namespace: &str, weight: usize) -> Option<String> {
        let own = self
            .namespaces
            .get(namespace)
            .map_or(0, |account| account.kept)
            .saturating_add(weight);
        let largest = self
            .namespaces
            .iter()
            .filter(|(other, _)| other.as_str() != namespace)
            .max_by_key(|(_, account)| account.kept)
            .filter(|(_, account)| account.kept > own)
            .map(|(name, _)| name.clone());
        let account = self.namespaces.get_mut(largest.as_deref()?)?;
        account.over.get_or_insert(Bound::Total);
        account.returning = false;
        let freed = account.evict();
        self.kept = self.kept.saturating_sub(freed);
        largest
    }

    /// Lets a namespace in again that fits.
    fn settle(&mut self, namespace: &str, most: usize, total: usize) {
        let kept = self.kept;
        let Some(account) = self
            .namespaces
            .get_mut(namespace)
            .filter(|account| account.over.is_some())
        else {
            return;
        };
        let missing = account.weight.saturating_sub(account.kept);
        if account.weight > most || kept.saturating_add(missing) > total {
            account.returning = false;
        } else if account.objects.values().all(|entry| entry.kept) {
            account.over = None;
            account.returning = false;
        } else {
            self.wish |= !std::mem::replace(&mut account.returning, true);
        }
    }
}

/// How large an object is as JSON.
pub(crate) fn weight(object: &impl Serialize) -> usize {
    struct Count(usize);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.saturating_add(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What can't be written counts as far as it came.
    drop(serde_json::to_writer(&mut count, object));
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_is_too_large_is_over_until_everything_of_it_fits() {
        let budget = Budget::new(100, 1000);
        assert!(budget.put("Secret", "a", "one", 60).keep);
        assert!(!budget.put("Secret", "a", "two", 60).keep);
        assert!(budget.overrun("a").unwrap().contains("120 bytes"));
        assert!(budget.put("Secret", "b", "one", 60).keep);
        assert_eq!((budget.overrun("b"), budget.kept()), (None, 120));
        assert!(!budget.wishes_for_a_list());
        budget.remove("Secret", "a", "one");
        assert!(
            budget.wishes_for_a_list() && !budget.wishes_for_a_list(),
            "it would fit now"
        );
        assert!(budget.overrun("a").is_some(), "it is not known yet");
        assert!(budget.put("Secret", "a", "two", 60).keep);
        assert_eq!(budget.overrun("a"), None);
    }

    #[test]
    fn an_object_that_changes_counts_once() {
        let budget = Budget::new(100, 1000);
        for weight in [10, 90, 50] {
            assert!(budget.put("Secret", "a", "one", weight).keep);
        }
        assert_eq!(budget.kept(), 50);
        assert!(!budget.put("Secret", "a", "one", 101).keep);
        assert_eq!(budget.kept(), 0);
        assert!(budget.put("Secret", "a", "one", 50).keep);
        assert_eq!(budget.overrun("a"), None);
    }

    #[test]
    fn where_all_are_too_large_the_largest_gives_way_and_not_the_last() {
        let budget = Budget::new(100, 150);
        assert!(budget.put("Secret", "large", "one", 100).keep);
        assert!(budget.put("Secret", "small", "one", 40).keep);
        let verdict = budget.put("Secret", "small", "two", 20);
        assert_eq!((verdict.keep, verdict.evict.as_deref()), (true, Some("large")));
        assert!(budget.overrun("large").is_some());
        assert_eq!((budget.overrun("small"), budget.kept()), (None, 60));
        let verdict = budget.put("Secret", "other", "one", 95);
        assert_eq!((verdict.keep, verdict.evict), (false, None));
        assert!(budget.overrun("other").is_some());
    }

    #[test]
    fn what_is_kept_is_never_more_than_it_may_be() {
        let budget = Budget::new(50, 120);
        for round in 0..400_usize {
            let namespace = format!("n{}", round % 7);
            let name = format!("o{}", round % 13);
            budget.put("Secret", &namespace, &name, round.wrapping_mul(31) % 60);
            assert!(budget.kept() <= 120, "{}", budget.kept());
            if round % 5 == 0 {
                budget.remove("Secret", &namespace, &name);
            }
        }
    }
}
