//! A namespace with everything in it and nothing wrong, to be spoilt one field at a time.

use std::collections::BTreeMap;

use monstrum_crds::object::{Kind, Object};
use monstrum_crds::validate::{self, Fault};
use monstrum_crds::world::World;
use serde_json::Value;

/// The objects by kind and name, before they are read.
#[derive(Clone)]
pub(crate) struct Scene {
    objects: BTreeMap<(String, String), Value>,
    missing_keys: Vec<String>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let mut scene = Self {
            objects: BTreeMap::new(),
            missing_keys: Vec::new(),
        };
        let documents: Vec<Value> = serde_saphyr::from_multiple(include_str!("scene.yaml")).unwrap();
        let shipped = ["github", "shell"].map(|name| {
            let path = format!(
                "{}/../charts/monstrum/resource-types/{name}.yaml",
                env!("CARGO_MANIFEST_DIR")
            );
            serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
        });
        documents
            .into_iter()
            .chain(shipped)
            .for_each(|document| scene.add(document));
        scene
    }

    pub(crate) fn add(&mut self, document: Value) {
        let text = |pointer: &str| document.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let key = (text("/kind"), text("/metadata/name"));
        assert!(
            self.objects.insert(key.clone(), document).is_none(),
            "{key:?} twice"
        );
    }

    pub(crate) fn remove(&mut self, kind: Kind, name: &str) {
        self.objects.remove(&(kind.to_string(), name.to_owned())).unwrap();
    }

    pub(crate) fn remove_secret_key(&mut self, key: &str) {
        self.missing_keys.push(key.to_owned());
    }

    /// Puts a value at a pointer; null takes away what is there.
    pub(crate) fn set(&mut self, kind: Kind, name: &str, pointer: &str, value: Value) {
        let object = self
            .objects
            .get_mut(&(kind.to_string(), name.to_owned()))
            .unwrap();
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        let parent = object
            .pointer_mut(parent)
            .unwrap_or_else(|| panic!("no {parent} in {kind} {name}"));
        match parent {
            Value::Array(items) => items[last.parse::<usize>().unwrap()] = value,
            Value::Object(entries) if value.is_null() => drop(entries.remove(last).unwrap()),
            other => other[last] = value,
        }
    }

    pub(crate) fn object(&self, kind: Kind, name: &str) -> Object {
        Object::read(self.objects[&(kind.to_string(), name.to_owned())].clone()).unwrap()
    }

    pub(crate) fn is_absent(&self, kind: Kind, name: &str, pointer: &str) -> bool {
        let object = &self.objects[&(kind.to_string(), name.to_owned())];
        object.pointer(pointer).is_none()
    }

    pub(crate) fn world(&self) -> World {
        self.world_of(self.objects.keys().cloned().collect())
    }

    pub(crate) fn reversed_world(&self) -> World {
        self.world_of(self.objects.keys().rev().cloned().collect())
    }

    fn world_of(&self, order: Vec<(String, String)>) -> World {
        let mut world = World::new("team");
        for key in order {
            world
                .insert(Object::read(self.objects[&key].clone()).unwrap())
                .unwrap();
        }
        world.assume_secrets();
        for key in &self.missing_keys {
            world
                .secret_versions
                .insert(("keys".to_owned(), key.clone()), None);
        }
        world
    }

    pub(crate) fn faults(&self, kind: Kind, name: &str) -> Vec<Fault> {
        validate::validate(&self.object(kind, name), &self.world())
    }
}
