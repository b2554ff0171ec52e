//! One watch: what the API server tells, taken into the index.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DeserializeGuard;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event};
use kube::{Resource, ResourceExt};
use monstrum_service::Token;

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

/// Passes on what can be read, and tells of the rest: with metadata and reason for what can't be read, with nothing
/// for what can be (again) or is gone. What can't be read counts as gone.
pub(crate) fn readable<K: Resource<DynamicType = ()>>(
    events: impl futures::Stream<Item = watcher::Result<Event<DeserializeGuard<K>>>> + Send,
    tell: impl Fn(Place, Option<(ObjectMeta, String)>) + Send + Sync,
) -> impl futures::Stream<Item = watcher::Result<Told<K>>> + Send {
    let sort = move |guard: DeserializeGuard<K>| {
        let place = (guard.namespace().unwrap_or_default(), guard.name_any());
        match guard.0 {
            Ok(object) => {
                tell(place, None);
                Ok(object)
            }
            Err(unreadable) => {
                tell(place.clone(), Some((unreadable.metadata, unreadable.error)));
                Err(place)
            }
        }
    };
    events.map(move |event| {
        Ok(match event? {
            Event::Apply(guard) => {
                sort(guard).map_or_else(Told::Gone, |object| Told::Event(Event::Apply(object)))
            }
            Event::Delete(guard) => {
                sort(guard).map_or_else(Told::Gone, |object| Told::Event(Event::Delete(object)))
            }
            Event::Init => Told::Event(Event::Init),
            Event::InitApply(guard) => {
                sort(guard).map_or(Told::Nothing, |object| Told::Event(Event::InitApply(object)))
            }
            Event::InitDone => Told::Event(Event::InitDone),
        })
    })
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
