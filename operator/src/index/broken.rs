//! Objects that do not have the shape of their kind.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::Key;

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
