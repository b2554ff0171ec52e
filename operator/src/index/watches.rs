//! All watches, and what each change means to others.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::api::DynamicObject;
use kube::core::{ApiResource, PartialObjectMeta};
use kube::{Api, Client, Resource, ResourceExt};
use monstrum_crds::kinds::{
    Bot, BotBinding, BotRole, Channel, Credential, ModelProvider, Resource as BoundResource, ResourceType,
    Workspace,
};
use monstrum_crds::object::Kind;
use monstrum_service::Service;
use serde::de::DeserializeOwned;

use super::feed::{Feed, Pace};
use super::objects::{Objects, Place, Seen};
use super::watch::{Intake, Reader, Reading, Told};
use super::{Index, Key, meaning};
use crate::child::{ChildKind, Issued, MANAGED_BY, label};
use crate::metrics::Metrics;

/// What Secrets are called where watches are.
const SECRET: &str = "Secret";

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
}

impl Watches<'_> {
    /// Starts every watch.
    pub fn start(&self) {
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
        self.namespaces.iter().cloned().map(Some).collect()
    }

    /// One of our kinds. What can't be read is kept apart, so that one bad object hides no other.
    fn kind<K>(&self, kind: Kind, scope: Option<&str>, objects: &Arc<Objects<K>>)
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Send + Sync + 'static,
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
                intake.take_up(told, &|_| {}, &|seen| index.kind_changed(kind, &seen));
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
                intake.take_up(Told::Event(event), &|_| {}, &|seen| index.secret_changed(&seen));
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
                intake.take_up(Told::Event(event), &|object| trim(kind, object), &|seen| {
                    index.child_changed(&seen);
                });
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

    fn feed<K>(&self, api: Api<K>, kind: &'static str, scope: Option<&str>) -> Feed<K> {
        Feed {
            api,
            selector: None,
            pace: Pace::of(self.index.currency.validity()),
            mark: self.index.currency.depend_on(kind, scope),
            metrics: self.metrics.clone(),
        }
    }

    fn intake<K>(&self, kind: &str, scope: Option<&str>, objects: &Arc<Objects<K>>) -> Intake<K> {
        let place = scope
            .map(|namespace| format!(" of {namespace}"))
            .unwrap_or_default();
        let reason = format!("{kind} objects{place} are not listed yet");
        Intake {
            objects: Arc::clone(objects),
            scope: scope.map(ToOwned::to_owned),
            listed: Some((self.service.readiness().block(reason), self.index.listed.hold())),
        }
    }
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
            self.certificates.mark(namespace, self.currency.as_of(namespace));
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

    fn child_changed(&self, seen: &Seen<DynamicObject>) {
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
