//! Which installation governs a namespace, as far as this one knows.
//!
//! Two installations whose namespaces overlap would undo each other's work for ever. So each namespace has one owner at a
//! time ([`crate::claim`]), and for a namespace that is not known to be ours nothing is done.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

/// Who governs a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owned {
    /// This installation.
    Ours,
    /// Another one, by the namespace that its operator runs in.
    Theirs(String),
}

/// Which installation governs which namespace.
#[derive(Debug, Default)]
pub struct Ownership {
    /// This installation; while it has no name every namespace is its own.
    ours: OnceLock<String>,
    namespaces: Mutex<BTreeMap<String, Owned>>,
    changed: Notify,
}

impl Ownership {
    /// From now on a namespace is ours only where that is known.
    pub fn require(&self, installation: &str) {
        // The first name stays.
        drop(self.ours.set(installation.to_owned()));
    }

    /// Whether a namespace is ours. What is of no namespace is everybody's.
    pub fn is_ours(&self, namespace: &str) -> bool {
        self.ours.get().is_none()
            || namespace.is_empty()
            || self.namespaces().get(namespace) == Some(&Owned::Ours)
    }

    /// Whose a namespace is, if another's.
    pub fn theirs(&self, namespace: &str) -> Option<String> {
        match self.namespaces().get(namespace)? {
            Owned::Theirs(installation) => Some(installation.clone()),
            Owned::Ours => None,
        }
    }

    /// How many namespaces are another's.
    pub fn count_theirs(&self) -> usize {
        let namespaces = self.namespaces();
        namespaces
            .values()
            .filter(|owned| matches!(owned, Owned::Theirs(_)))
            .count()
    }

    /// Sets whose a namespace is; true when it is another's than before.
    pub fn set(&self, namespace: &str, owned: Option<Owned>) -> bool {
        let mut namespaces = self.namespaces();
        let before = match owned.clone() {
            Some(owned) => namespaces.insert(namespace.to_owned(), owned),
            None => namespaces.remove(namespace),
        };
        before != owned
    }

    /// A claim was seen, or that it is gone: what says another name than ours is not ours from that instant.
    pub(super) fn saw_claim(&self, namespace: &str, installation: Option<&str>) {
        if installation != self.ours.get().map(String::as_str) {
            let mut namespaces = self.namespaces();
            if namespaces.get(namespace) == Some(&Owned::Ours) {
                namespaces.remove(namespace);
            }
        }
        self.changed.notify_one();
    }

    /// There is something to do in a namespace that is not known to be ours.
    pub fn ask(&self) {
        self.changed.notify_one();
    }

    /// Resolves when a claim changed, or somebody asks.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn namespaces(&self) -> MutexGuard<'_, BTreeMap<String, Owned>> {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_ours_only_where_that_is_known() {
        let ownership = Ownership::default();
        assert!(ownership.is_ours("team-a"), "nobody asks");
        ownership.require("monstrum-a");
        assert!(!ownership.is_ours("team-a") && ownership.is_ours(""));
        assert!(ownership.set("team-a", Some(Owned::Ours)));
        assert!(ownership.is_ours("team-a") && !ownership.set("team-a", Some(Owned::Ours)));
        ownership.saw_claim("team-a", Some("monstrum-a"));
        assert!(ownership.is_ours("team-a"));
        ownership.saw_claim("team-a", Some("monstrum-b"));
        assert!(!ownership.is_ours("team-a"));
        ownership.set("team-a", Some(Owned::Theirs("monstrum-b".to_owned())));
        assert_eq!(ownership.theirs("team-a").as_deref(), Some("monstrum-b"));
        assert_eq!(ownership.count_theirs(), 1);
    }
}
