//! The objects of one kind, as last seen.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use kube::ResourceExt;
use kube::runtime::watcher::Event;

/// Where an object is: its namespace (empty for cluster-scoped objects) and its name.
pub type Place = (String, String);

/// The objects of one kind, in the order of their places. One writer for each watched namespace, or one for all.
#[derive(Debug)]
pub struct Objects<K> {
    state: RwLock<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    objects: BTreeMap<Place, Arc<K>>,
    /// Lists that are being read, by the namespace they are of.
    listing: BTreeMap<Option<String>, BTreeMap<Place, Arc<K>>>,
}

/// What an event did to one object.
#[derive(Debug)]
pub struct Seen<K> {
    /// Where.
    pub place: Place,
    /// What stood there before.
    pub before: Option<Arc<K>>,
    /// What stands there now.
    pub now: Option<Arc<K>>,
}

impl<K> Default for Objects<K> {
    fn default() -> Self {
        Self {
            state: RwLock::new(State {
                objects: BTreeMap::new(),
                listing: BTreeMap::new(),
            }),
        }
    }
}

impl<K: ResourceExt> Objects<K> {
    /// Takes up an event of the watch over `scope` (a namespace, or all) and says what it changed.
    pub fn take_up(&self, scope: Option<&str>, event: Event<K>) -> Vec<Seen<K>> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let scope = scope.map(ToOwned::to_owned);
        match event {
            Event::Apply(object) => vec![state.put(object)],
            Event::Delete(object) => {
                let place = place(&object);
                let before = state.objects.remove(&place);
                vec![Seen {
                    place,
                    before,
                    now: None,
                }]
            }
            Event::Init => {
                state.listing.insert(scope, BTreeMap::new());
                Vec::new()
            }
            Event::InitApply(object) => {
                let place = place(&object);
                // What is there already is not kept twice while it is listed.
                let known = state.objects.get(&place);
                let same = known
                    .filter(|known| same_version(known.as_ref(), &object))
                    .cloned();
                let object = same.unwrap_or_else(|| Arc::new(object));
                state.listing.entry(scope).or_default().insert(place, object);
                Vec::new()
            }
            Event::InitDone => {
                let listed = state.listing.remove(&scope).unwrap_or_default();
                state.relist(scope.as_deref(), listed)
            }
        }
    }

    /// Takes an object out that can't be read any more.
    pub fn forget(&self, place: &Place) -> Option<Seen<K>> {
        let before = self
            .state
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .objects
            .remove(place)?;
        Some(Seen {
            place: place.clone(),
            before: Some(before),
            now: None,
        })
    }

    /// Gives up all objects of a namespace; nobody is told.
    pub(super) fn evict(&self, namespace: &str) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.objects.retain(|place, _| place.0 != namespace);
        for listed in state.listing.values_mut() {
            listed.retain(|place, _| place.0 != namespace);
        }
    }

    /// One object.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<K>> {
        self.read()
            .objects
            .get(&(namespace.to_owned(), name.to_owned()))
            .cloned()
    }

    /// The objects of a namespace, by name.
    pub fn of(&self, namespace: &str) -> Vec<Arc<K>> {
        let first = (namespace.to_owned(), String::new());
        let state = self.read();
        let from = state.objects.range(first..);
        from.take_while(|((other, _), _)| other == namespace)
            .map(|(_, object)| Arc::clone(object))
            .collect()
    }

    /// All objects.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.read().objects.values().cloned().collect()
    }

    /// All places.
    pub fn places(&self) -> Vec<Place> {
        self.read().objects.keys().cloned().collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.read().objects.len()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State<K>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: ResourceExt> State<K> {
    fn put(&mut self, object: K) -> Seen<K> {
        let place = place(&object);
        let now = Arc::new(object);
        let before = self.objects.insert(place.clone(), Arc::clone(&now));
        Seen {
            place,
            before,
            now: Some(now),
        }
    }

    /// Replaces everything of a scope by what was listed.
    fn relist(&mut self, scope: Option<&str>, listed: BTreeMap<Place, Arc<K>>) -> Vec<Seen<K>> {
        let in_scope = |place: &Place| scope.is_none_or(|namespace| place.0 == namespace);
        let mut gone: Vec<Place> = self
            .objects
            .keys()
            .filter(|place| in_scope(place))
            .cloned()
            .collect();
        gone.retain(|place| !listed.contains_key(place));
        let mut seen = Vec::with_capacity(listed.len().saturating_add(gone.len()));
        for place in gone {
            let before = self.objects.remove(&place);
            seen.push(Seen {
                place,
                before,
                now: None,
            });
        }
        for (place, now) in listed {
            // What has the same version is the same object: nothing is to be told of it.
            if self
                .objects
                .get(&place)
                .is_some_and(|before| same_version(before.as_ref(), now.as_ref()))
            {
                continue;
            }
            let before = self.objects.insert(place.clone(), Arc::clone(&now));
            seen.push(Seen {
                place,
                before,
                now: Some(now),
            });
        }
        seen
    }
}

fn same_version<K: ResourceExt>(before: &K, now: &K) -> bool {
    now.resource_version().is_some()
        && before.resource_version() == now.resource_version()
        && before.uid() == now.uid()
}

fn place<K: ResourceExt>(object: &K) -> Place {
    (object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;

    fn map(namespace: &str, name: &str, version: &str) -> ConfigMap {
        let mut map = ConfigMap::default();
        map.metadata.namespace = Some(namespace.to_owned());
        map.metadata.name = Some(name.to_owned());
        map.metadata.resource_version = Some(version.to_owned());
        map
    }

    fn list(
        objects: &Objects<ConfigMap>,
        scope: Option<&str>,
        listed: Vec<ConfigMap>,
    ) -> Vec<Seen<ConfigMap>> {
        objects.take_up(scope, Event::Init);
        for object in listed {
            objects.take_up(scope, Event::InitApply(object));
        }
        objects.take_up(scope, Event::InitDone)
    }

    #[test]
    fn a_new_list_takes_away_what_it_does_not_hold() {
        let objects = Objects::default();
        list(
            &objects,
            None,
            vec![map("a", "one", "1"), map("a", "two", "1"), map("b", "one", "1")],
        );
        let seen = list(&objects, None, vec![map("a", "two", "2")]);
        assert_eq!(seen.iter().filter(|seen| seen.now.is_none()).count(), 2);
        assert_eq!(objects.places(), [("a".to_owned(), "two".to_owned())]);
    }

    #[test]
    fn what_a_list_shows_unchanged_is_not_told() {
        let objects = Objects::default();
        list(&objects, None, vec![map("a", "one", "1"), map("a", "two", "1")]);
        let seen = list(&objects, None, vec![map("a", "one", "1"), map("a", "two", "2")]);
        let places: Vec<_> = seen.into_iter().map(|seen| seen.place.1).collect();
        assert_eq!(places, ["two"]);
    }

    #[test]
    fn a_list_of_one_namespace_leaves_the_others_alone() {
        let objects = Objects::default();
        list(&objects, Some("a"), vec![map("a", "one", "1")]);
        list(&objects, Some("b"), vec![map("b", "one", "1")]);
        list(&objects, Some("a"), vec![]);
        assert_eq!(objects.places(), [("b".to_owned(), "one".to_owned())]);
    }

    #[test]
    fn a_namespace_is_read_by_itself() {
        let objects = Objects::default();
        list(
            &objects,
            None,
            vec![map("a", "one", "1"), map("a-b", "one", "1"), map("b", "one", "1")],
        );
        assert_eq!(objects.of("a").len(), 1);
        assert!(objects.get("a-b", "one").is_some());
        assert!(objects.get("a", "two").is_none());
    }
}
