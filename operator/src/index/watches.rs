//! All watches, and what each change means to others.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::DynamicObject;
use kube::core::{ApiResource, PartialObjectMeta};
use kube::{Api, Client, Resource, ResourceExt};
use monstrum_crds::kinds::{
    Bot, BotBinding, BotRole, Channel, Credential, ModelProvider, Resource as BoundResource, ResourceType,
    Workspace,
};
use monstrum_crds::object::Kind;
use monstrum_service::Service;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::feed::{Feed, Pace};
use super::objects::{Objects, Place, Seen};
use super::watch::{Intake, Reader, Reading, Told};
use super::{Index, Key, meaning};
use crate::child::{ChildKind, Issued, MANAGED_BY, Owner, label};
use crate::claim::{CLAIM, claimant};
use crate::metrics::Metrics;

/// What Secrets are called where watches are.
const SECRET: &str = "Secret";

/// What can't be listed within this holds up nobody but its own namespace.
const FIRST_LISTS: Duration = Duration::from_secs(10);
/// How soon what was too large and fits now is listed again.
const LIST_AGAIN: Duration = Duration::from_secs(10);

/// Starts every watch.
pub struct Watches<'a> {
    /// Into this index.
    pub index: &'a Arc<Index>,
    /// With this client.
    pub client: &'a Client,
    /// As tasks of this process, which is not ready before all first lists are complete.
    pub service: &'a Service,
    /// Counts failures.
    pub metrics: &'a Metrics,
    /// Of these namespaces; of all when empty.
    pub namespaces: &'a [String],
    /// But not of these.
    pub excluded: &'a [String],
}

impl Watches<'_> {
    /// Starts every watch.
    pub fn start(&self) {
        self.list_what_fits_again();
        // None of the watches is the first to have listed before all of them hold on to it.
        let _all_held = self.index.lists.hold();
        self.await_first_lists();
        self.kind::<ResourceType>(Kind::ResourceType, None, &self.index.resource_types);
        for scope in self.scopes() {
            self.kind::<Workspace>(Kind::Workspace, scope.as_deref(), &self.index.workspaces);
            self.kind::<ModelProvider>(Kind::ModelProvider, scope.as_deref(), &self.index.providers);
            self.kind::<Credential>(Kind::Credential, scope.as_deref(), &self.index.credentials);
            self.kind::<BoundResource>(Kind::Resource, scope.as_deref(), &self.index.resources);
            self.kind::<Bot>(Kind::Bot, scope.as_deref(), &self.index.bots);
            self.kind::<BotRole>(Kind::BotRole, scope.as_deref(), &self.index.roles);
            self.kind::<BotBinding>(Kind::BotBinding, scope.as_deref(), &self.index.bindings);
            self.kind::<Channel>(Kind::Channel, scope.as_deref(), &self.index.channels);
            self.secrets(scope.as_deref());
            for kind in ChildKind::ALL {
                self.children(kind, scope.as_deref());
            }
        }
    }

    fn scopes(&self) -> Vec<Option<String>> {
        if self.namespaces.is_empty() {
            return vec![None];
        }
        let governed = self
            .namespaces
            .iter()
            .filter(|name| !self.excluded.contains(name));
        governed.cloned().map(Some).collect()
    }

    /// What was not kept because it was too large comes back by a list: not for each object, since lists cost more than what makes them
    /// necessary.
    fn list_what_fits_again(&self) {
        let (index, shutdown) = (Arc::clone(self.index), self.service.shutdown());
        self.service.spawn_quiet("budget", async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(LIST_AGAIN) => {}
                    () = shutdown.requested() => return,
                }
                if index.budget.wishes_for_a_list() {
                    index.currency.list_again();
                }
            }
        });
    }

    /// A namespace that is deleted, or that the operator may not read, is never listed; the others don't wait for it for ever.
    fn await_first_lists(&self) {
        let unready = self
            .service
            .readiness()
            .block("not everything that is watched is listed yet");
        let (index, shutdown) = (Arc::clone(self.index), self.service.shutdown());
        let held = index.listed.hold();
        self.service.spawn_quiet("first-lists", async move {
            tokio::select! {
                () = index.lists.opened() => {}
                () = tokio::time::sleep(FIRST_LISTS) => {
                    tracing::warn!(missing = ?index.currency.unknown(), "not everything can be listed; what was listed goes on");
                }
                () = shutdown.requested() => {}
            }
            drop((held, unready));
        });
    }

    /// One of our kinds. What can't be read is kept apart, so that one bad object hides no other.
    fn kind<K>(&self, kind: Kind, scope: Option<&str>, objects: &Arc<Objects<K>>)
    where
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let feed = self.feed(
            self.dynamic(&ApiResource::erase::<K>(&()), scope),
            kind.as_str(),
            scope,
        );
        let mut intake = self.intake(kind.as_str(), scope, objects);
        let (index, place) = (Arc::clone(self.index), scope.map(ToOwned::to_owned));
        self.spawn(async move {
            let mut reader = Reader::default();
            let mut take = |event| {
                let told = reader.read::<K>(event, &|reading| index.read(kind, place.as_deref(), reading));
                let evict = intake.take_up(told, &|_| {}, &|seen| index.kind_changed(kind, &seen));
                index.evict(evict);
            };
            feed.run(&mut take).await
        });
    }

    fn secrets(&self, scope: Option<&str>) {
        // A watch on this type asks for metadata only: no value comes here.
        let feed = self.feed(self.secrets_of(scope), SECRET, scope);
        let mut intake = self.intake(SECRET, scope, self.index.live.secrets());
        let index = Arc::clone(self.index);
        self.spawn(async move {
            let mut take = |event| {
                let evict = intake.take_up(Told::Event(event), &trim_secret, &|seen| {
                    index.secret_changed(&seen);
                });
                index.evict(evict);
            };
            feed.run(&mut take).await
        });
    }

    fn children(&self, kind: ChildKind, scope: Option<&str>) {
        let mut feed = self.feed(self.dynamic(&kind.api(), scope), kind.as_str(), scope);
        feed.selector = Some(MANAGED_BY.to_owned());
        let mut intake = self.intake(kind.as_str(), scope, self.index.live.children(kind));
        let index = Arc::clone(self.index);
        self.spawn(async move {
            let mut take = |event| {
                let told = Told::Event(event);
                let evict = intake.take_up(told, &|object| trim(kind, object), &|seen| {
                    index.saw_child(&seen);
                });
                index.evict(evict);
            };
            feed.run(&mut take).await
        });
    }

    /// A watch runs until the process stops.
    fn spawn(&self, watch: impl Future<Output = Infallible> + Send + 'static) {
        let shutdown = self.service.shutdown();
        self.service.spawn("watch", async move {
            tokio::select! {
                never = watch => match never {},
                () = shutdown.requested() => Ok::<(), Infallible>(()),
            }
        });
    }

    fn dynamic(&self, resource: &ApiResource, scope: Option<&str>) -> Api<DynamicObject> {
        match scope {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, resource),
            None => Api::all_with(self.client.clone(), resource),
        }
    }

    fn secrets_of(&self, scope: Option<&str>) -> Api<PartialObjectMeta<Secret>> {
        match scope {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    fn feed<K>(&self, api: Api<K>, kind: &'static str, scope: Option<&str>) -> Feed<K>
    where
        K: Resource + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
    {
        let pace = Pace::of(self.index.currency.validity());
        let mark = self.index.currency.depend_on(kind, scope);
        let mut feed = Feed::new(api, pace, mark, self.metrics.clone(), self.index.room.clone());
        if scope.is_none() && kind != Kind::ResourceType.as_str() {
            feed.fields = self.all_but_excluded();
        }
        feed
    }

    /// The API server itself leaves out what is not governed.
    fn all_but_excluded(&self) -> Option<String> {
        let parts: Vec<String> = self
            .excluded
            .iter()
            .map(|name| format!("metadata.namespace!={name}"))
            .collect();
        (!parts.is_empty()).then(|| parts.join(","))
    }

    fn intake<K>(&self, kind: &'static str, scope: Option<&str>, objects: &Arc<Objects<K>>) -> Intake<K>
    where
        K: ResourceExt + Serialize,
    {
        let (objects, budget) = (Arc::clone(objects), Arc::clone(&self.index.budget));
        Intake::new(objects, kind, scope, budget, self.index.lists.hold())
    }
}

/// Of a Secret what nothing here reads is not kept: anybody's labels, owners and finalizers.
fn trim_secret(secret: &mut PartialObjectMeta<Secret>) {
    let metadata = std::mem::take(&mut secret.metadata);
    secret.metadata = ObjectMeta {
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        resource_version: metadata.resource_version,
        deletion_timestamp: metadata.deletion_timestamp,
        annotations: metadata.annotations.filter(|annotations| !annotations.is_empty()),
        labels: metadata.labels.map(|labels| {
            let ours = labels
                .into_iter()
                .filter(|(key, _)| label::ALL.contains(&key.as_str()));
            ours.collect()
        }),
        owner_references: metadata.owner_references.map(|owners| {
            let told = owners
                .into_iter()
                .filter(|owner| owner.controller == Some(true) || Owner::is_ours(owner));
            told.collect()
        }),
        ..ObjectMeta::default()
    };
}

/// Of our objects only Deployments have a status that matters.
fn trim(kind: ChildKind, object: &mut DynamicObject) {
    if kind != ChildKind::Deployment
        && let Some(fields) = object.data.as_object_mut()
    {
        fields.remove("status");
    }
}

impl Index {
    /// The largest namespace gives way, where all together are larger than is kept.
    fn evict(&self, namespace: Option<String>) {
        if let Some(namespace) = namespace {
            tracing::warn!(%namespace, "the largest namespace gives way: all together are larger than the operator keeps");
            self.live.evict(&namespace);
        }
    }

    /// Notes what can't be read, and what can be again.
    fn read(&self, kind: Kind, scope: Option<&str>, reading: Reading<'_>) {
        let key = |place: Place| Key {
            kind,
            namespace: place.0,
            name: place.1,
        };
        let fine = match reading {
            Reading::Unreadable(place, metadata, error) => {
                let key = key(place);
                tracing::warn!(kind = %kind, namespace = %key.namespace, name = %key.name, %error, "an object can't be read");
                self.broken.put(key.clone(), *metadata, error);
                self.changed(&key);
                self.queue.push(key);
                return;
            }
            Reading::Fine(place) => {
                let key = key(place);
                if self.broken.remove(&key) {
                    vec![key]
                } else {
                    Vec::new()
                }
            }
            Reading::Listed(unreadable) => self.broken.keep(kind, scope, unreadable),
        };
        for key in fine {
            self.changed(&key);
        }
    }

    fn kind_changed<K: ResourceExt>(&self, kind: Kind, seen: &Seen<K>) {
        let key = Key {
            kind,
            namespace: seen.place.0.clone(),
            name: seen.place.1.clone(),
        };
        if meaning::changed(seen) {
            self.changed(&key);
        } else {
            self.queue.push(key);
        }
    }

    /// An object is another one than before: what follows from it must be worked out again.
    fn changed(&self, key: &Key) {
        if key.kind == Kind::ResourceType {
            self.queue_everything();
        } else {
            // Once it is compiled, every object of the namespace is reconciled; before, its status would lag behind.
            self.mark(&key.namespace);
        }
    }

    fn secret_changed(&self, seen: &Seen<PartialObjectMeta<Secret>>) {
        let (namespace, name) = &seen.place;
        let labels = seen
            .now
            .as_ref()
            .or(seen.before.as_ref())
            .map(|secret| secret.labels().clone());
        if let Some(key) = labels.and_then(|labels| owner_key(namespace, &labels)) {
            self.queue.push(key);
        }
        let (before, now) = (seen.before.as_ref(), seen.now.as_ref());
        if before
            .into_iter()
            .chain(now)
            .any(|secret| Issued::read(&secret.metadata).is_some())
        {
            self.certificates.mark(namespace, self.as_of(namespace));
        }
        let named = self.credentials.of(namespace).iter().any(|credential| {
            let monstrum_crds::kinds::credential::Method::Static(method) = &credential.spec.method;
            method
                .fields
                .iter()
                .any(|field| field.secret_key_ref.name == *name)
        });
        let named = named
            || self.channels.of(namespace).iter().any(|channel| {
                let monstrum_crds::kinds::channel::ChannelType::Webhook(webhook) = &channel.spec.type_;
                webhook.secret.name == *name
            });
        if named {
            self.mark(namespace);
        }
    }

    /// One of our objects is another one than before.
    pub(crate) fn saw_child(&self, seen: &Seen<DynamicObject>) {
        if seen.place.1 == CLAIM {
            let installation = seen.now.as_deref().map(claimant);
            self.ownership.saw_claim(&seen.place.0, installation);
        }
        let labels = seen
            .now
            .as_ref()
            .or(seen.before.as_ref())
            .map(|object| object.labels().clone());
        if let Some(key) = labels.and_then(|labels| owner_key(&seen.place.0, &labels)) {
            self.queue.push(key);
        }
    }
}

/// Whose an object of ours is, by its labels.
fn owner_key(namespace: &str, labels: &BTreeMap<String, String>) -> Option<Key> {
    let key = |kind, name: &String| Key {
        kind,
        namespace: namespace.to_owned(),
        name: name.clone(),
    };
    let bot = labels.get(label::BOT).map(|name| key(Kind::Bot, name));
    bot.or_else(|| labels.get(label::CHANNEL).map(|name| key(Kind::Channel, name)))
}
