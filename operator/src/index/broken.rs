//! Objects that do not have the shape of their kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use monstrum_crds::object::Kind;

use super::Key;
use super::objects::Place;

/// Objects that do not have the shape of their kind: written by another version, past the schema.
#[derive(Debug, Default)]
pub struct Broken {
    objects: Mutex<BTreeMap<Key, Unreadable>>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Why.
    pub error: String,
    /// Whether its status says so already.
    pub told: bool,
}

impl Broken {
    /// Notes one.
    pub fn put(&self, key: Key, metadata: ObjectMeta, error: String) {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let told = objects.get(&key).is_some_and(|old| {
            old.told && old.error == error && old.metadata.generation == metadata.generation
        });
        objects.insert(
            key,
            Unreadable {
                metadata,
                error,
                told,
            },
        );
    }

    /// It can be read again, or is gone; answers whether it was one of them.
    pub fn remove(&self, key: &Key) -> bool {
        self.objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key)
            .is_some()
    }

    /// Forgets those of a kind, in a namespace or in all, that a complete list no longer holds; answers which.
    pub fn keep(&self, kind: Kind, scope: Option<&str>, listed: &BTreeSet<Place>) -> Vec<Key> {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = |key: &Key| {
            key.kind == kind
                && scope.is_none_or(|scope| key.namespace == scope)
                && !listed.contains(&(key.namespace.clone(), key.name.clone()))
        };
        let gone: Vec<Key> = objects.keys().filter(|key| gone(key)).cloned().collect();
        for key in &gone {
            objects.remove(key);
        }
        gone
    }

    /// Whether there is one of this key.
    pub fn holds(&self, key: &Key) -> bool {
        self.objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(key)
    }

    /// One that nobody was told of yet.
    pub fn untold(&self, key: &Key) -> Option<Unreadable> {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.get(key).filter(|object| !object.told).cloned()
    }

    /// Its status says so now.
    pub fn told(&self, key: &Key) {
        if let Some(object) = self
            .objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_mut(key)
        {
            object.told = true;
        }
    }
}
