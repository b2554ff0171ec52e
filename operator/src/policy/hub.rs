//! Where policies are published and gateways subscribe.

mod session;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use monstrum_wire::identity::{BotId, ChannelId};
use monstrum_wire::policy::{Settings, Version};
use monstrum_wire::snapshot;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::draft::{Draft, Opening, Openings};
use super::places::{Place, Places};
use super::standing::{ReplicaStanding, Standing};
use crate::metrics::Metrics;
use crate::roster::{Around, Enrolled, Rosters};

pub(crate) use session::News;
pub use session::Session;

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
    acknowledged: mpsc::UnboundedSender<BotId>,
    rosters: Rosters,
    places: Places,
    metrics: Metrics,
}

/// Why a gateway is not subscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such bot, or not any more.
    #[error("there is no such bot")]
    Unknown,
    /// Too many are.
    #[error("too many gateways of this bot are connected")]
    Crowded,
}

#[derive(Default)]
struct State {
    /// Of the running term; none before the first one.
    epoch: Option<u64>,
    sequence: u64,
    sessions: u64,
    bots: HashMap<BotId, Entry>,
    channels: HashMap<ChannelId, Opening>,
}

struct Entry {
    published: watch::Sender<Arc<Published>>,
    /// Who may call its gateways, and by what they are known themselves.
    around: watch::Sender<Arc<Around>>,
    replicas: BTreeMap<String, Replica>,
    withdrawn: bool,
}

struct Replica {
    session: u64,
    digest: String,
    fault: String,
    other_program: Option<String>,
    /// Ends the stream, when a later one of the same replica takes its place.
    superseded: CancellationToken,
}

impl Hub {
    /// A hub that tells of each bot whose gateways' acknowledgements changed.
    pub fn new(metrics: Metrics) -> (Arc<Self>, mpsc::UnboundedReceiver<BotId>) {
        let (acknowledged, changes) = mpsc::unbounded_channel();
        (
            Arc::new(Self {
                state: Mutex::default(),
                acknowledged,
                rosters: Rosters::default(),
                places: Places::default(),
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
    pub fn publish(&self, bot: &BotId, draft: Draft, since: Instant) -> String {
        self.put(bot, draft, since, false)
    }

    /// Whether it is the last that the bot gets is known before it is seen.
    fn put(&self, bot: &BotId, draft: Draft, since: Instant, withdrawn: bool) -> String {
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
                entry.withdrawn = withdrawn;
            }
            return digest;
        }
        let published = Arc::new(state.version(draft, digest.clone(), since));
        match state.bots.get_mut(bot) {
            Some(entry) => {
                entry.withdrawn = withdrawn;
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
    pub fn withdraw(&self, bot: &BotId, since: Instant) {
        if !self.state().bots.contains_key(bot) {
            return;
        }
        self.put(bot, Draft::empty(bot), since, true);
        self.state().forget_if_unused(bot);
    }

    /// The bots of a namespace that have a policy.
    pub fn bots_of(&self, namespace: &str) -> Vec<BotId> {
        let state = self.state();
        let live = state
            .bots
            .iter()
            .filter(|(bot, entry)| bot.namespace == namespace && !entry.withdrawn);
        live.map(|(bot, _)| bot.clone()).collect()
    }

    /// How far a bot's policy has come; none without one.
    pub fn standing(&self, bot: &BotId) -> Option<Standing> {
        let state = self.state();
        let entry = state.bots.get(bot)?;
        let replicas = entry.replicas.iter().map(|(name, replica)| ReplicaStanding {
            name: name.clone(),
            digest: replica.digest.clone(),
            fault: replica.fault.clone(),
            other_program: replica.other_program.clone(),
        });
        Some(Standing {
            digest: entry.published.borrow().digest.clone(),
            replicas: replicas.collect(),
        })
    }

    /// Where the secrets of a binding of the bot's current policy stand.
    pub fn binding(&self, bot: &BotId, binding: &str) -> Option<Opening> {
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
    pub fn provider(&self, bot: &BotId, provider: &str) -> Option<Opening> {
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
    pub fn set_channels(&self, namespace: &str, channels: BTreeMap<ChannelId, Opening>) {
        let mut state = self.state();
        state.channels.retain(|channel, _| channel.namespace != namespace);
        state.channels.extend(channels);
    }

    /// Where the secrets of a channel stand.
    pub fn channel(&self, channel: &ChannelId) -> Option<Opening> {
        self.state().channels.get(channel).cloned()
    }

    /// Sets who lives in a namespace, and tells its bots' gateways who may call them.
    pub fn enrol(&self, namespace: &str, members: Vec<Enrolled>) {
        self.rosters.set(namespace, members);
        let state = self.state();
        for (bot, entry) in state.bots.iter().filter(|(bot, _)| bot.namespace == namespace) {
            let around = if entry.withdrawn {
                Around::default()
            } else {
                self.rosters.around(bot)
            };
            entry.around.send_if_modified(|known| {
                let changed = **known != around;
                if changed {
                    *known = Arc::new(around);
                }
                changed
            });
        }
    }

    /// Who lives.
    pub fn rosters(&self) -> &Rosters {
        &self.rosters
    }

    /// A place for a stream of a bot; none when too many are open.
    pub(super) fn place(&self, bot: &BotId) -> Option<Place> {
        self.places.take(bot)
    }

    /// Subscribes one gateway. An earlier stream of the same replica ends.
    pub fn subscribe(self: &Arc<Self>, bot: &BotId, replica: &str) -> Result<Session, Refused> {
        let mut state = self.state();
        state.sessions = state.sessions.wrapping_add(1);
        let id = state.sessions;
        let entry = state.bots.get_mut(bot).filter(|entry| !entry.withdrawn);
        let entry = entry.ok_or(Refused::Unknown)?;
        if entry.replicas.len() >= MAX_REPLICAS && !entry.replicas.contains_key(replica) {
            return Err(Refused::Crowded);
        }
        let superseded = CancellationToken::new();
        let earlier = entry.replicas.insert(
            replica.to_owned(),
            Replica {
                session: id,
                digest: String::new(),
                fault: String::new(),
                other_program: None,
                superseded: superseded.clone(),
            },
        );
        let (published, around) = (entry.published.subscribe(), entry.around.subscribe());
        drop(state);
        if let Some(earlier) = earlier {
            earlier.superseded.cancel();
        }
        self.changed(bot);
        Ok(Session::new(
            Arc::clone(self),
            (bot.clone(), replica.to_owned(), id),
            published,
            around,
            superseded,
        ))
    }

    fn changed(&self, bot: &BotId) {
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

    fn forget_if_unused(&mut self, bot: &BotId) {
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
            around: watch::Sender::new(Arc::default()),
            replicas: BTreeMap::new(),
            withdrawn: false,
        }
    }
}
