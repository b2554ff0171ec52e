//! What the API server tells, taken into the index.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::DynamicObject;
use kube::core::TypeMeta;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::budget::{Budget, weight};
use super::latch::Hold;
use super::objects::{Objects, Place, Seen};

/// Annotations of Secrets and others hold whatever people put there; ours are kept.
const OUR_ANNOTATIONS: &str = "monstrum.dev/";
/// Which template of a Deployment its present pods are of.
pub(crate) const REVISION: &str = "deployment.kubernetes.io/revision";

/// Characters of an error: it may quote the object.
const MAX_ERROR: usize = 512;

/// Where the events of one watch go.
pub(crate) struct Intake<K> {
    pub(crate) objects: Arc<Objects<K>>,
    pub(crate) kind: &'static str,
    /// The namespace it is of; none for all.
    pub(crate) scope: Option<String>,
    /// How much is kept.
    pub(crate) budget: Arc<Budget>,
    /// Of the list that is being read.
    listing: BTreeSet<Place>,
    /// Released once the first list is complete.
    listed: Option<Hold>,
}

impl<K: ResourceExt + Serialize> Intake<K> {
    pub(crate) fn new(
        objects: Arc<Objects<K>>,
        kind: &'static str,
        scope: Option<&str>,
        budget: Arc<Budget>,
        listed: Hold,
    ) -> Self {
        Self {
            objects,
            kind,
            scope: scope.map(ToOwned::to_owned),
            budget,
            listing: BTreeSet::new(),
            listed: Some(listed),
        }
    }

    /// Takes one event up; tells what it changed. Answers the namespace that has to give way for it.
    pub(crate) fn take_up(
        &mut self,
        told: Told<K>,
        trim: &dyn Fn(&mut K),
        tell: &dyn Fn(Seen<K>),
    ) -> Option<String> {
        let event = match told {
            Told::Event(event) => event,
            Told::Gone(place) => {
                self.budget.remove(self.kind, &place.0, &place.1);
                self.objects.forget(&place).into_iter().for_each(tell);
                return None;
            }
            Told::Nothing => return None,
        };
        let event = event.modify(|object| {
            strip(object);
            trim(object);
        });
        let (event, evict) = self.weigh(event);
        let done = matches!(event, Told::Event(Event::InitDone));
        match event {
            Told::Event(event) => self
                .objects
                .take_up(self.scope.as_deref(), event)
                .into_iter()
                .for_each(tell),
            Told::Gone(place) => self.objects.forget(&place).into_iter().for_each(tell),
            Told::Nothing => {}
        }
        if done {
            drop(self.listed.take());
        }
        evict
    }

    /// Counts what an event brings; what does not fit counts as not there.
    fn weigh(&mut self, event: Event<K>) -> (Told<K>, Option<String>) {
        let mut evict = None;
        let told = match event {
            Event::Apply(object) => match self.admit(&object, &mut evict) {
                Ok(()) => Told::Event(Event::Apply(object)),
                Err(place) => Told::Gone(place),
            },
            Event::InitApply(object) => {
                self.listing.insert(place_of(&object));
                match self.admit(&object, &mut evict) {
                    Ok(()) => Told::Event(Event::InitApply(object)),
                    Err(_) => Told::Nothing,
                }
            }
            Event::Delete(object) => {
                let (namespace, name) = place_of(&object);
                self.budget.remove(self.kind, &namespace, &name);
                Told::Event(Event::Delete(object))
            }
            Event::Init => {
                self.listing.clear();
                Told::Event(Event::Init)
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listing);
                for place in self.budget.places(self.kind, self.scope.as_deref()) {
                    if !listed.contains(&place) {
                        self.budget.remove(self.kind, &place.0, &place.1);
                    }
                }
                Told::Event(Event::InitDone)
            }
        };
        (told, evict)
    }

    /// What is of no namespace is of those who run the cluster.
    fn admit(&self, object: &K, evict: &mut Option<String>) -> Result<(), Place> {
        let place = place_of(object);
        if place.0.is_empty() {
            return Ok(());
        }
        let verdict = self.budget.put(self.kind, &place.0, &place.1, weight(object));
        *evict = verdict.evict;
        if verdict.keep { Ok(()) } else { Err(place) }
    }
}

fn place_of<K: ResourceExt>(object: &K) -> Place {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// What was found out about an object that could not be read as its kind before, or can't be now.
pub(crate) enum Reading<'a> {
    /// It can be read (again), or is gone.
    Fine(Place),
    /// It can't, and why.
    Unreadable(Place, Box<ObjectMeta>, String),
    /// A list is complete; of what it holds these can't be read.
    Listed(&'a BTreeSet<Place>),
}

/// Reads objects as their kind. What can't be read counts as gone.
///
/// All kinds are watched as plain objects and read here, so that the watching itself is compiled only once.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    unreadable: BTreeSet<Place>,
}

impl Reader {
    /// Passes on what can be read, and tells of the rest.
    pub(crate) fn read<K: Resource<DynamicType = ()> + DeserializeOwned>(
        &mut self,
        event: Event<DynamicObject>,
        tell: &dyn Fn(Reading<'_>),
    ) -> Told<K> {
        match event {
            Event::Apply(object) => match sort(object, tell) {
                Ok(object) => Told::Event(Event::Apply(object)),
                Err(place) => Told::Gone(place),
            },
            Event::Delete(object) => match sort(object, tell) {
                Ok(object) => Told::Event(Event::Delete(object)),
                Err(place) => {
                    // What is gone is no longer something that can't be read.
                    tell(Reading::Fine(place.clone()));
                    Told::Gone(place)
                }
            },
            Event::Init => {
                self.unreadable.clear();
                Told::Event(Event::Init)
            }
            Event::InitApply(object) => match sort(object, tell) {
                Ok(object) => Told::Event(Event::InitApply(object)),
                Err(place) => {
                    self.unreadable.insert(place);
                    Told::Nothing
                }
            },
            Event::InitDone => {
                tell(Reading::Listed(&self.unreadable));
                Told::Event(Event::InitDone)
            }
        }
    }
}

fn sort<K: Resource<DynamicType = ()> + DeserializeOwned>(
    object: DynamicObject,
    tell: &dyn Fn(Reading<'_>),
) -> Result<K, Place> {
    let place = place_of(&object);
    // What it takes to say of it that it can't be read.
    let metadata = ObjectMeta {
        name: object.metadata.name.clone(),
        namespace: object.metadata.namespace.clone(),
        uid: object.metadata.uid.clone(),
        generation: object.metadata.generation,
        ..ObjectMeta::default()
    };
    match read::<K>(object) {
        Ok(object) => {
            tell(Reading::Fine(place));
            Ok(object)
        }
        Err(error) => {
            tell(Reading::Unreadable(
                place.clone(),
                Box::new(metadata),
                error.to_string().chars().take(MAX_ERROR).collect(),
            ));
            Err(place)
        }
    }
}

fn read<K: Resource<DynamicType = ()> + DeserializeOwned>(
    mut object: DynamicObject,
) -> serde_json::Result<K> {
    strip(&mut object);
    object.types.get_or_insert_with(TypeMeta::resource::<K>);
    serde_json::to_value(object).and_then(serde_json::from_value)
}

/// What a watch tells.
#[derive(Debug)]
pub(crate) enum Told<K> {
    /// An event of the API server.
    Event(Event<K>),
    /// What is there can't be read.
    Gone(Place),
    /// What is listed can't be read.
    Nothing,
}

/// Takes off what nothing here reads: half of most objects.
pub(crate) fn strip<K: ResourceExt>(object: &mut K) {
    object.meta_mut().managed_fields = None;
    object
        .annotations_mut()
        .retain(|key, _| key.starts_with(OUR_ANNOTATIONS) || key == REVISION);
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::ApiResource;
    use monstrum_crds::kinds::Bot;
    use serde_json::{Value, json};
    use std::sync::Mutex;

    fn object(name: &str, spec: Value) -> DynamicObject {
        let mut object = DynamicObject::new(name, &ApiResource::erase::<Bot>(&())).within("team-a");
        object.data = json!({ "spec": spec });
        object
    }

    /// By the revision, the pods of a Deployment's present template are told from older ones.
    #[test]
    fn of_annotations_only_what_is_read_is_kept() {
        let mut object = object("triage-gateway", json!({}));
        let annotations = ["monstrum.dev/applied", REVISION, "acme.example/notes"];
        object.metadata.annotations = Some(annotations.map(|key| (key.to_owned(), "2".to_owned())).into());
        strip(&mut object);
        assert_eq!(
            object.annotations().keys().collect::<Vec<_>>(),
            [REVISION, "monstrum.dev/applied"]
        );
    }

    #[test]
    fn what_can_not_be_read_counts_as_gone_and_hides_nothing_else() {
        let untyped = DynamicObject {
            types: None,
            ..object("untyped", json!({}))
        };
        let events = [
            Event::Init,
            Event::InitApply(object("good", json!({}))),
            Event::InitApply(object("bad", json!({"rolls": []}))),
            Event::InitApply(untyped),
            Event::InitDone,
            Event::Apply(object("good", json!({"rolls": []}))),
        ];
        let (told, listed) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let (objects, mut reader) = (Objects::default(), Reader::default());
        let mut gone = Vec::new();
        for event in events {
            let read = reader.read::<Bot>(event, &|reading| match reading {
                Reading::Fine(_) => {}
                Reading::Unreadable(place, _, error) => told.lock().unwrap().push((place.1, error)),
                Reading::Listed(unreadable) => listed.lock().unwrap().extend(unreadable.iter().cloned()),
            });
            match read {
                Told::Event(event) => drop(objects.take_up(None, event)),
                Told::Gone(place) => {
                    gone.push(place.1.clone());
                    objects.forget(&place);
                }
                Told::Nothing => {}
            }
        }
        assert_eq!(objects.places(), [("team-a".to_owned(), "untyped".to_owned())]);
        assert_eq!(gone, ["good"]);
        assert_eq!(
            listed.into_inner().unwrap(),
            [("team-a".to_owned(), "bad".to_owned())]
        );
        let told = told.into_inner().unwrap();
        assert_eq!(
            told.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["bad", "good"]
        );
        assert!(told[0].1.contains("rolls"), "{told:?}");
    }
}
