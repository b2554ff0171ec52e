//! What the API server tells, taken into the index.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::DynamicObject;
use kube::core::TypeMeta;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};
use monstrum_service::Token;
use serde::de::DeserializeOwned;

use super::latch::Hold;
use super::objects::{Objects, Place, Seen};

/// Annotations of Secrets and others hold whatever people put there; only ours are kept.
const OUR_ANNOTATIONS: &str = "monstrum.dev/";

/// Where the events of one watch go.
pub(crate) struct Intake<K> {
    pub(crate) objects: Arc<Objects<K>>,
    /// The namespace it is of; none for all.
    pub(crate) scope: Option<String>,
    /// Released once the first list is complete.
    pub(crate) listed: Option<(Token, Hold)>,
}

impl<K: ResourceExt> Intake<K> {
    /// Takes one event up; tells what it changed.
    pub(crate) fn take_up(&mut self, told: Told<K>, trim: &dyn Fn(&mut K), tell: &dyn Fn(Seen<K>)) {
        let event = match told {
            Told::Event(event) => event,
            Told::Gone(place) => {
                self.objects.forget(&place).into_iter().for_each(tell);
                return;
            }
            Told::Nothing => return,
        };
        let done = matches!(event, Event::InitDone);
        let event = event.modify(|object| {
            strip(object);
            trim(object);
        });
        for seen in self.objects.take_up(self.scope.as_deref(), event) {
            tell(seen);
        }
        if done {
            drop(self.listed.take());
        }
    }
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
    let place = (object.namespace().unwrap_or_default(), object.name_any());
    let metadata = object.metadata.clone();
    match read::<K>(object) {
        Ok(object) => {
            tell(Reading::Fine(place));
            Ok(object)
        }
        Err(error) => {
            tell(Reading::Unreadable(
                place.clone(),
                Box::new(metadata),
                error.to_string(),
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
        .retain(|key, _| key.starts_with(OUR_ANNOTATIONS));
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
