//! What the API server holds, as last seen: our kinds, the objects we made, and the names (never the values) of Secrets.
//!
//! Every replica keeps an index, so that a new leader needs no time to read. Nothing here decides; changes are told
//! to [`Dirt`] (which namespaces must be compiled) and to the queue (which objects must be reconciled).

mod broken;
pub mod budget;
pub mod currency;
mod dirt;
mod feed;
mod latch;
mod live;
mod meaning;
mod objects;
mod ownership;
mod secrets;
mod watch;
mod watches;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::ResourceExt as _;
use monstrum_crds::contract::Contract;
use monstrum_crds::kinds::{
    Bot, BotBinding, BotRole, Channel, Credential, ModelProvider, Resource, ResourceType, Workspace,
};
use monstrum_crds::object::Kind;
use monstrum_crds::placement::Placement;
use tokio::time::Instant;

pub use broken::Broken;
pub use budget::Budget;
pub use currency::Currency;
pub use dirt::Dirt;
pub use latch::Latch;
pub use live::Live;
pub use objects::{Objects, Place, Seen};
pub use ownership::{Owned, Ownership};
pub use secrets::{Secrets, secret_version};
pub(crate) use watch::{REVISION, strip};
pub use watches::Watches;

use self::feed::ReadingRoom;
use crate::queue::Queue;

/// What is reconciled: an object of one of our kinds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for a resource type.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What the API server holds, as last seen.
#[derive(Default)]
pub struct Index {
    /// By name only.
    pub resource_types: Arc<Objects<ResourceType>>,
    /// One a namespace.
    pub workspaces: Arc<Objects<Workspace>>,
    /// Model providers.
    pub providers: Arc<Objects<ModelProvider>>,
    /// Credentials.
    pub credentials: Arc<Objects<Credential>>,
    /// Resources.
    pub resources: Arc<Objects<Resource>>,
    /// Bots.
    pub bots: Arc<Objects<Bot>>,
    /// Roles.
    pub roles: Arc<Objects<BotRole>>,
    /// Bindings.
    pub bindings: Arc<Objects<BotBinding>>,
    /// Channels.
    pub channels: Arc<Objects<Channel>>,
    /// Objects of our kinds that can't be read.
    pub broken: Broken,
    /// Our own objects.
    pub live: Arc<Live>,
    /// Names of keys of Secrets.
    pub secrets: Secrets,
    /// Where the installation lets pods run.
    pub placement: Arc<Placement>,
    /// The cluster's domain, where it is not the usual one.
    pub cluster_domain: Option<Arc<str>>,
    /// As of when all this is known.
    pub currency: Currency,
    /// Which namespaces must be compiled.
    pub dirt: Dirt,
    /// In which namespaces certificates were issued or withdrawn.
    pub certificates: Dirt,
    /// Which objects must be reconciled.
    pub queue: Queue<Key>,
    /// Which namespaces this installation governs.
    pub ownership: Ownership,
    /// How much of all this is kept.
    pub budget: Arc<Budget>,
    /// Opens when every watch has listed what there is.
    pub lists: Latch,
    /// Opens when every watch has listed what there is, or has had its time.
    pub listed: Latch,
    /// Where lists are read.
    room: ReadingRoom,
    contracts: Mutex<BTreeMap<String, Arc<Contract>>>,
}

impl Index {
    /// An empty index of an installation that permits `placement` and keeps so much; what is known holds for `validity`.
    pub fn new(validity: Duration, placement: Placement, budget: Budget) -> Self {
        Self {
            budget: Arc::new(budget),
            placement: Arc::new(placement),
            currency: Currency::new(validity),
            ..Self::default()
        }
    }

    /// In a cluster with this domain.
    #[must_use]
    pub fn in_domain(mut self, cluster_domain: &str) -> Self {
        self.cluster_domain = Some(cluster_domain.into());
        self
    }

    /// Begins a term: nothing that was known or compiled before it counts. Only the first call for an epoch does anything.
    pub fn begin(&self, epoch: u64) {
        if !self.currency.begin(epoch) {
            return;
        }
        self.queue_kind(Kind::ResourceType);
        for namespace in self.namespaces() {
            self.dirt.mark(&namespace, None);
        }
    }

    /// As of when everything that a namespace depends on is known; none when it is not, or when nothing may be done for it.
    pub fn as_of(&self, namespace: &str) -> Option<Instant> {
        self.currency
            .as_of(namespace)
            .filter(|_| self.ownership.is_ours(namespace) && self.budget.overrun(namespace).is_none())
    }

    /// A namespace is ours now: everything in it is to be worked out.
    pub fn governed(&self, namespace: &str) {
        self.dirt.mark(namespace, None);
        self.certificates.mark(namespace, None);
    }

    /// What keeps a namespace from being governed, for people; empty while nothing does.
    pub fn faults_of(&self, namespace: &str) -> Vec<String> {
        let overrun = self.budget.overrun(namespace);
        let lapsed = self.currency.faults_of(namespace);
        overrun.into_iter().chain(lapsed).collect()
    }

    /// How long the policies and credentials of a namespace still hold: since when they are known to follow from what the
    /// API server holds, never since now. None when that is too long ago, or not known in this term.
    pub fn lease(&self, namespace: &str) -> Option<Duration> {
        let mut right = self.as_of(namespace)?;
        for changes in [&self.dirt, &self.certificates] {
            if let Some(before) = changes.right(namespace) {
                right = right.min(before?);
            }
        }
        self.currency.left(right)
    }

    /// Every resource type as a contract, each judged once for each of its generations.
    pub fn contracts(&self) -> BTreeMap<String, Arc<Contract>> {
        let mut contracts = self.contracts.lock().unwrap_or_else(PoisonError::into_inner);
        let types = self.resource_types.all();
        contracts.retain(|name, _| types.iter().any(|object| object.name_any() == *name));
        for object in types {
            let known = contracts.get(&object.name_any());
            let same = known.is_some_and(|known| {
                known.object.metadata.uid == object.metadata.uid
                    && known.object.metadata.generation == object.metadata.generation
            });
            if !same {
                contracts.insert(object.name_any(), Arc::new(Contract::new(object)));
            }
        }
        contracts.clone()
    }

    /// The namespaces that hold objects of ours.
    pub fn namespaces(&self) -> BTreeSet<String> {
        Kind::ALL
            .into_iter()
            .flat_map(|kind| self.places(kind))
            .map(|(namespace, _)| namespace)
            .filter(|namespace| !namespace.is_empty())
            .collect()
    }

    /// Where the objects of a kind are.
    pub fn places(&self, kind: Kind) -> Vec<Place> {
        match kind {
            Kind::ResourceType => self.resource_types.places(),
            Kind::Workspace => self.workspaces.places(),
            Kind::ModelProvider => self.providers.places(),
            Kind::Credential => self.credentials.places(),
            Kind::Resource => self.resources.places(),
            Kind::Bot => self.bots.places(),
            Kind::BotRole => self.roles.places(),
            Kind::BotBinding => self.bindings.places(),
            Kind::Channel => self.channels.places(),
        }
    }

    /// Has every object of a namespace reconciled.
    pub fn queue_namespace(&self, namespace: &str) {
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::ResourceType) {
            for (_, name) in self
                .places(kind)
                .into_iter()
                .filter(|(other, _)| other == namespace)
            {
                self.queue.push(Key {
                    kind,
                    namespace: namespace.to_owned(),
                    name,
                });
            }
        }
    }

    /// Has every binding of a bot reconciled: its status tells of the bot's.
    pub fn queue_bindings_of(&self, namespace: &str, bot: &str) {
        for binding in self.bindings.of(namespace) {
            if binding.spec.bot == bot {
                self.queue.push(Key {
                    kind: Kind::BotBinding,
                    namespace: namespace.to_owned(),
                    name: binding.name_any(),
                });
            }
        }
    }

    /// Has every object reconciled that has pods.
    pub fn queue_pods(&self) {
        for kind in [Kind::Bot, Kind::Channel] {
            self.queue_kind(kind);
        }
    }

    fn queue_kind(&self, kind: Kind) {
        for (namespace, name) in self.places(kind) {
            self.queue.push(Key {
                kind,
                namespace,
                name,
            });
        }
    }

    /// Has a namespace compiled.
    fn mark(&self, namespace: &str) {
        self.dirt.mark(namespace, self.as_of(namespace));
    }

    /// Has every resource type reconciled, and every namespace compiled.
    fn queue_everything(&self) {
        self.queue_kind(Kind::ResourceType);
        for namespace in self.namespaces() {
            self.mark(&namespace);
        }
    }
}
