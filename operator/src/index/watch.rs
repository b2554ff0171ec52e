//! One watch: what the API server tells, taken into the index.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::DynamicObject;
use kube::core::TypeMeta;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event};
use kube::{Resource, ResourceExt};
use monstrum_service::Token;
use serde::de::DeserializeOwned;

use super::latch::Hold;
use super::objects::{Objects, Place, Seen};
use crate::metrics::Metrics;

/// Annotations of Secrets and others hold whatever people put there; only ours are kept.
const OUR_ANNOTATIONS: &str = "monstrum.dev/";

/// A watch ended for good; kube's watches never should.
#[derive(Debug, thiserror::Error)]
#[error("the watch on {kind} ended")]
pub struct WatchEnded {
    kind: String,
}

/// One watch before it runs.
pub(crate) struct Watch<K> {
    pub(crate) objects: Arc<Objects<K>>,
    /// The namespace it is of; none for all.
    pub(crate) scope: Option<String>,
    /// Released once the first list is complete.
    pub(crate) listed: (Token, Hold),
    pub(crate) metrics: Metrics,
}

impl<K: ResourceExt> Watch<K> {
    pub(crate) async fn take_up(
        self,
        events: impl futures::Stream<Item = watcher::Result<Told<K>>> + Send,
        kind: String,
        trim: impl Fn(&mut K) + Send,
        tell: impl Fn(Seen<K>) + Send,
    ) -> Result<(), WatchEnded> {
        let mut events = std::pin::pin!(events);
        let mut listed = Some(self.listed);
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(Told::Event(event)) => event,
                Ok(Told::Gone(place)) => {
                    self.objects.forget(&place).into_iter().for_each(&tell);
                    continue;
                }
                Ok(Told::Nothing) => continue,
                Err(error) => {
                    self.metrics.watch_failed();
                    tracing::warn!(%kind, error = %error, "a watch failed; it is begun anew");
                    continue;
                }
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
                drop(listed.take());
            }
        }
        Err(WatchEnded { kind })
    }
}

/// Reads objects as `K` and passes them on; tells of the rest: with metadata and reason for what can't be read, with
/// nothing for what can be (again) or is gone. What can't be read counts as gone.
///
/// All kinds are watched as plain objects and read here, so that the watching itself is compiled only once.
pub(crate) fn readable<K: Resource<DynamicType = ()> + DeserializeOwned>(
    events: impl futures::Stream<Item = watcher::Result<Event<DynamicObject>>> + Send,
    tell: impl Fn(Place, Option<(ObjectMeta, String)>) + Send + Sync,
) -> impl futures::Stream<Item = watcher::Result<Told<K>>> + Send {
    let sort = |object: DynamicObject, tell: &dyn Fn(Place, Option<(ObjectMeta, String)>)| {
        let place = (object.namespace().unwrap_or_default(), object.name_any());
        let metadata = object.metadata.clone();
        match read::<K>(object) {
            Ok(object) => {
                tell(place, None);
                Ok(object)
            }
            Err(error) => {
                tell(place.clone(), Some((metadata, error.to_string())));
                Err(place)
            }
        }
    };
    events.map(move |event| {
        Ok(match event? {
            Event::Apply(object) => {
                sort(object, &tell).map_or_else(Told::Gone, |object| Told::Event(Event::Apply(object)))
            }
            Event::Delete(object) => sort(object, &tell).map_or_else(
                |place| {
                    // What is gone is no longer something that can't be read.
                    tell(place.clone(), None);
                    Told::Gone(place)
                },
                |object| Told::Event(Event::Delete(object)),
            ),
            Event::Init => Told::Event(Event::Init),
            Event::InitApply(object) => {
                sort(object, &tell).map_or(Told::Nothing, |object| Told::Event(Event::InitApply(object)))
            }
            Event::InitDone => Told::Event(Event::InitDone),
        })
    })
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

/// How long to wait before a watch is begun anew: little at first, since a policy may wait for it.
pub(crate) fn backoff() -> WatchBackoff {
    WatchBackoff(FIRST_WAIT)
}

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Doubles from [`FIRST_WAIT`] to [`LAST_WAIT`].
pub(crate) struct WatchBackoff(Duration);

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = self.0;
        self.0 = wait.saturating_mul(2).min(LAST_WAIT);
        Some(wait)
    }
}

impl Backoff for WatchBackoff {
    fn reset(&mut self) {
        self.0 = FIRST_WAIT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use kube::core::ApiResource;
    use monstrum_crds::kinds::Bot;
    use serde_json::{Value, json};
    use std::sync::Mutex;

    fn object(name: &str, spec: Value) -> DynamicObject {
        let mut object = DynamicObject::new(name, &ApiResource::erase::<Bot>(&())).within("team-a");
        object.data = json!({ "spec": spec });
        object
    }

    #[tokio::test]
    async fn what_can_not_be_read_counts_as_gone_and_hides_nothing_else() {
        let untyped = DynamicObject {
            types: None,
            ..object("untyped", json!({}))
        };
        let events = stream::iter([
            Event::Init,
            Event::InitApply(object("good", json!({}))),
            Event::InitApply(object("bad", json!({"rolls": []}))),
            Event::InitApply(untyped),
            Event::InitDone,
            Event::Apply(object("good", json!({"rolls": []}))),
        ]);
        let told = Mutex::new(Vec::new());
        let objects = Objects::default();
        let mut gone = Vec::new();
        {
            let mut events = std::pin::pin!(readable::<Bot>(events.map(Ok), |place, unreadable| {
                told.lock()
                    .unwrap()
                    .push((place.1, unreadable.map(|(_, error)| error)));
            }));
            while let Some(event) = events.next().await {
                match event.unwrap() {
                    Told::Event(event) => drop(objects.take_up(None, event)),
                    Told::Gone(place) => {
                        gone.push(place.1.clone());
                        objects.forget(&place);
                    }
                    Told::Nothing => {}
                }
            }
        }
        assert_eq!(objects.places(), [("team-a".to_owned(), "untyped".to_owned())]);
        assert_eq!(gone, ["good"]);
        let told = told.into_inner().unwrap();
        let errors: Vec<_> = told
            .iter()
            .filter_map(|(name, error)| Some((name.as_str(), error.as_ref()?)))
            .collect();
        assert_eq!(
            errors.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["bad", "good"]
        );
        assert!(errors[0].1.contains("rolls"), "{errors:?}");
    }
}
