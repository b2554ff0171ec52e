//! Where policies are published and gateways subscribe.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use monstrum_wire::identity::BotName;
use monstrum_wire::policy::{Ack, Settings, Version};
use monstrum_wire::snapshot;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::draft::{Draft, Opening, Openings};
use super::standing::{ReplicaStanding, Standing};
use crate::metrics::Metrics;

/// Streams of one bot at once; more than a Deployment of gateways with a rolling update can need.
const MAX_REPLICAS: usize = 32;

/// One bot's policy with its version.
#[derive(Debug)]
pub struct Published {
    /// Rises with every change.
    pub version: Version,
    /// Over `permissions` and `settings`.
    pub digest: String,
    /// The guardian's document, canonical JSON.
    pub permissions: Vec<u8>,
    /// What a gateway needs beyond permissions.
    pub settings: Settings,
    openings: Openings,
    /// When the change was seen that led to it.
    since: Instant,
}

/// All bots' policies. One per process.
pub struct Hub {
    state: Mutex<State>,
    acknowledged: mpsc::UnboundedSender<BotName>,
    metrics: Metrics,
}

#[derive(Default)]
struct State {
    /// Of the running term; none before the first one.
    epoch: Option<u64>,
    sequence: u64,
    sessions: u64,
    bots: HashMap<BotName, Entry>,
    channels: HashMap<(String, String), Opening>,
}

struct Entry {
    published: watch::Sender<Arc<Published>>,
    replicas: BTreeMap<String, Replica>,
    withdrawn: bool,
}

struct Replica {
    session: u64,
    digest: String,
    fault: String,
}

/// One gateway's subscription; it ends when dropped.
pub struct Session {
    hub: Arc<Hub>,
    bot: BotName,
    replica: String,
    id: u64,
    published: watch::Receiver<Arc<Published>>,
}

impl Hub {
    /// A hub that tells of each bot whose gateways' acknowledgements changed.
    pub fn new(metrics: Metrics) -> (Arc<Self>, mpsc::UnboundedReceiver<BotName>) {
        let (acknowledged, changes) = mpsc::unbounded_channel();
        (
            Arc::new(Self {
                state: Mutex::default(),
                acknowledged,
                metrics,
            }),
            changes,
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a term: versions carry its epoch from now on.
    pub fn begin(&self, epoch: u64) {
        let mut state = self.state();
        state.epoch = Some(epoch);
    }

    /// The epoch that new policies carry; none before the first term.
    pub fn epoch(&self) -> Option<u64> {
        self.state().epoch
    }

    /// Makes `draft` the bot's policy, if it is another one. `since` is when the change was seen. Returns the digest.
    pub fn publish(&self, bot: &BotName, draft: Draft, since: Instant) -> String {
        let digest = snapshot::digest(&draft.permissions, &draft.settings);
        let mut state = self.state();
        let current = state
            .bots
            .get(bot)
            .map(|entry| Arc::clone(&entry.published.borrow()));
        if let Some(current) = &current
            && current.digest == digest
            && current.openings == draft.openings
            && Some(current.version.epoch) == state.epoch
        {
            if let Some(entry) = state.bots.get_mut(bot) {
                entry.withdrawn = false;
            }
            return digest;
        }
        let published = Arc::new(state.version(draft, digest.clone(), since));
        match state.bots.get_mut(bot) {
            Some(entry) => {
                entry.withdrawn = false;
                entry.published.send_replace(published);
            }
            None => {
                state.bots.insert(bot.clone(), Entry::new(published));
            }
        }
        self.metrics.policies_published.inc();
        digest
    }

    /// Takes everything from a bot that is gone. Its gateways, while they last, get a policy that permits nothing.
    pub fn withdraw(&self, bot: &BotName, since: Instant) {
        if !self.state().bots.contains_key(bot) {
            return;
        }
        self.publish(bot, Draft::empty(bot), since);
        let mut state = self.state();
        if let Some(entry) = state.bots.get_mut(bot) {
            entry.withdrawn = true;
        }
        state.forget_if_unused(bot);
    }

    /// The bots of a namespace that have a policy.
    pub fn bots_of(&self, namespace: &str) -> Vec<BotName> {
        let state = self.state();
        let live = state
            .bots
            .iter()
            .filter(|(bot, entry)| bot.namespace == namespace && !entry.withdrawn);
        live.map(|(bot, _)| bot.clone()).collect()
    }

    /// How far a bot's policy has come; none without one.
    pub fn standing(&self, bot: &BotName) -> Option<Standing> {
        let state = self.state();
        let entry = state.bots.get(bot)?;
        let replicas = entry.replicas.iter().map(|(name, replica)| ReplicaStanding {
            name: name.clone(),
            digest: replica.digest.clone(),
            fault: replica.fault.clone(),
        });
        Some(Standing {
            digest: entry.published.borrow().digest.clone(),
            replicas: replicas.collect(),
        })
    }

    /// Where the secrets of a binding of the bot's current policy stand.
    pub fn binding(&self, bot: &BotName, binding: &str) -> Option<Opening> {
        self.state()
            .bots
            .get(bot)?
            .published
            .borrow()
            .openings
            .bindings
            .get(binding)
            .cloned()
    }

    /// Where the secrets of the model provider of the bot's current policy stand.
    pub fn provider(&self, bot: &BotName, provider: &str) -> Option<Opening> {
        self.state()
            .bots
            .get(bot)?
            .published
            .borrow()
            .openings
            .providers
            .get(provider)
            .cloned()
    }

    /// Sets where the secrets of a namespace's channels stand.
    pub fn set_channels(&self, namespace: &str, channels: BTreeMap<String, Opening>) {
        let mut state = self.state();
        state.channels.retain(|(other, _), _| other != namespace);
        state.channels.extend(
            channels
                .into_iter()
                .map(|(name, opening)| ((namespace.to_owned(), name), opening)),
        );
    }

    /// Where the secrets of a channel stand.
    pub fn channel(&self, namespace: &str, name: &str) -> Option<Opening> {
        self.state()
            .channels
            .get(&(namespace.to_owned(), name.to_owned()))
            .cloned()
    }

    /// Subscribes one gateway. A bot without a policy gets the empty one. None when too many are connected.
    pub fn subscribe(self: &Arc<Self>, bot: &BotName, replica: &str) -> Option<Session> {
        let mut state = self.state();
        state.sessions = state.sessions.wrapping_add(1);
        let id = state.sessions;
        if !state.bots.contains_key(bot) {
            let draft = Draft::empty(bot);
            let digest = snapshot::digest(&draft.permissions, &draft.settings);
            let mut entry = Entry::new(Arc::new(state.version(draft, digest, Instant::now())));
            entry.withdrawn = true;
            state.bots.insert(bot.clone(), entry);
        }
        let entry = state.bots.get_mut(bot)?;
        if entry.replicas.len() >= MAX_REPLICAS && !entry.replicas.contains_key(replica) {
            return None;
        }
        entry.replicas.insert(
            replica.to_owned(),
            Replica {
                session: id,
                digest: String::new(),
                fault: String::new(),
            },
        );
        let published = entry.published.subscribe();
        drop(state);
        self.changed(bot);
        Some(Session {
            hub: Arc::clone(self),
            bot: bot.clone(),
            replica: replica.to_owned(),
            id,
            published,
        })
    }

    fn changed(&self, bot: &BotName) {
        // The receiver is gone only when the process ends.
        drop(self.acknowledged.send(bot.clone()));
    }
}

impl State {
    fn version(&mut self, draft: Draft, digest: String, since: Instant) -> Published {
        self.sequence = self.sequence.saturating_add(1);
        Published {
            version: Version {
                epoch: self.epoch.unwrap_or_default(),
                sequence: self.sequence,
            },
            digest,
            permissions: draft.permissions,
            settings: draft.settings,
            openings: draft.openings,
            since,
        }
    }

    fn forget_if_unused(&mut self, bot: &BotName) {
        if self
            .bots
            .get(bot)
            .is_some_and(|entry| entry.withdrawn && entry.replicas.is_empty())
        {
            self.bots.remove(bot);
        }
    }
}

impl Entry {
    fn new(published: Arc<Published>) -> Self {
        Self {
            published: watch::Sender::new(published),
            replicas: BTreeMap::new(),
            withdrawn: false,
        }
    }
}

impl Session {
    /// The policy as it is now; a later change is told by [`Session::changed`].
    pub fn current(&mut self) -> Arc<Published> {
        Arc::clone(&self.published.borrow_and_update())
    }

    /// Resolves when the policy is another one; false when it never will be.
    pub async fn changed(&mut self) -> bool {
        self.published.changed().await.is_ok()
    }

    /// Notes what the gateway made of a policy that it was sent.
    pub fn acknowledge(&self, ack: Ack) {
        let mut state = self.hub.state();
        let Some(entry) = state.bots.get_mut(&self.bot) else {
            return;
        };
        let current = Arc::clone(&entry.published.borrow());
        let Some(replica) = entry
            .replicas
            .get_mut(&self.replica)
            .filter(|replica| replica.session == self.id)
        else {
            return;
        };
        if replica.digest == ack.digest && replica.fault == ack.fault {
            return;
        }
        self.hub.metrics.acknowledged(ack.fault.is_empty());
        if ack.digest == current.digest && ack.fault.is_empty() {
            self.hub
                .metrics
                .change_to_enforced
                .observe(current.since.elapsed().as_secs_f64());
        }
        replica.digest = ack.digest;
        replica.fault = ack.fault;
        drop(state);
        self.hub.changed(&self.bot);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        if let Some(entry) = state.bots.get_mut(&self.bot)
            && entry
                .replicas
                .get(&self.replica)
                .is_some_and(|replica| replica.session == self.id)
        {
            entry.replicas.remove(&self.replica);
        }
        state.forget_if_unused(&self.bot);
        drop(state);
        self.hub.changed(&self.bot);
    }
}
