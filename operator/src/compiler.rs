//! From a namespace's objects to the policies of its bots.
//!
//! One pass reads the names of new Secret keys, converts every bot, and publishes what changed; a burst of changes is one pass. So
//! many namespaces have their passes at once, whoever waits longest first, so that one whose objects take long delays nobody
//! else. Of one namespace there is one pass at a time, and nobody is enrolled meanwhile: an older sight of it never follows a later one.

mod facts;
mod inputs;
mod openings;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::Client;
use monstrum_crds::convert;
use monstrum_crds::kinds::Bot;
use monstrum_crds::world::World;
use monstrum_guardian::compile;
use monstrum_wire::identity::BotId;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

pub use facts::{BotFacts, Facts};

use self::inputs::Inputs;
use crate::identity;
use crate::index::Index;
use crate::labour::laboriously;
use crate::metrics::Metrics;
use crate::policy::{Draft, Hub};
use crate::roster::enrolled;

/// A burst of changes (a manifest with many objects) comes within this.
const DEBOUNCE: Duration = Duration::from_millis(15);
/// Namespaces that are compiled at once. Most of the time of a long pass is spent where [`laboriously`] lets few in.
const AT_ONCE: usize = 8;
/// When the API server did not answer for a Secret, it is asked again after this.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// What is not known to be current yet is looked at again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Compiles namespaces while this process leads.
pub struct Compiler {
    index: Arc<Index>,
    hub: Arc<Hub>,
    facts: Arc<Facts>,
    client: Client,
    metrics: Metrics,
    /// What the published policies were compiled from.
    compiled: Mutex<BTreeMap<BotId, Inputs>>,
}

impl Compiler {
    /// A compiler from `index` to `hub` and `facts`.
    pub fn new(
        index: Arc<Index>,
        hub: Arc<Hub>,
        facts: Arc<Facts>,
        client: Client,
        metrics: Metrics,
    ) -> Self {
        Self {
            index,
            hub,
            facts,
            client,
            metrics,
            compiled: Mutex::default(),
        }
    }

    /// Compiles everything, each namespace once it is known to be current in this term, and goes on with what changes.
    /// Runs until dropped.
    pub async fn run(self: Arc<Self>, epoch: u64) {
        self.index.begin(epoch);
        self.hub.begin(epoch);
        self.compiled().clear();
        let mut passes = JoinSet::new();
        let mut busy = BTreeSet::new();
        loop {
            let room = AT_ONCE.saturating_sub(busy.len());
            tokio::select! {
                since = self.index.dirt.marked(&busy), if room > 0 => {
                    sleep_until(since.checked_add(DEBOUNCE).unwrap_or(since)).await;
                    for (namespace, since) in self.index.dirt.take(&busy, room) {
                        busy.insert(namespace.clone());
                        passes.spawn(Arc::clone(&self).pass(namespace, since));
                    }
                }
                _ = self.index.certificates.marked(&busy) => {
                    for (namespace, since) in self.index.certificates.take(&busy, usize::MAX) {
                        self.enrol_if_current(&namespace, since);
                    }
                }
                Some(ended) = passes.join_next() => {
                    busy.remove(&ended.unwrap_or_else(|error| raise(error)));
                }
            }
        }
    }

    /// One pass over one namespace; says which.
    async fn pass(self: Arc<Self>, namespace: String, since: Instant) -> String {
        self.compile_if_current(&namespace, since).await;
        namespace
    }

    /// A leader that does not know what the last one knew would bring an old policy back.
    async fn compile_if_current(&self, namespace: &str, since: Instant) {
        if self.index.as_of(namespace).is_some() {
            self.compile_namespace(namespace, since).await;
            self.index.dirt.done(namespace);
        } else if !self.index.ownership.is_ours(namespace) {
            // It is marked when it becomes ours.
            self.index.dirt.done(namespace);
            self.index.ownership.ask();
        } else {
            self.index.dirt.postpone(namespace, after(LOOK_AGAIN));
        }
    }

    fn enrol_if_current(&self, namespace: &str, since: Instant) {
        if self.index.as_of(namespace).is_some() {
            self.enrol(&self.index.world(namespace), since);
            self.index.certificates.done(namespace);
        } else if !self.index.ownership.is_ours(namespace) {
            self.index.certificates.done(namespace);
        } else {
            self.index.certificates.postpone(namespace, after(LOOK_AGAIN));
        }
    }

    /// One pass over one namespace, for changes that were seen from `since` on.
    pub async fn compile_namespace(&self, namespace: &str, since: Instant) {
        let started = Instant::now();
        let refs = self.index.world(namespace).secret_refs();
        let all_read = self
            .index
            .secrets
            .learn(&self.client, &self.index.live, namespace, &refs)
            .await;
        let world = self.index.world(namespace);
        laboriously(|| self.publish(&world, since)).await;
        self.index.queue_namespace(namespace);
        self.metrics
            .compile_seconds
            .observe(started.elapsed().as_secs_f64());
        if !all_read {
            let right = self.index.as_of(namespace);
            self.index.dirt.mark_at(namespace, after(ASK_AGAIN), right);
        }
    }

    fn publish(&self, world: &World, since: Instant) {
        // What is known by name only is then of the bot that is there.
        self.dismiss(world, since);
        self.hub
            .set_channels(&world.namespace, openings::of_channels(world));
        for bot in world.bots.values() {
            if let Some(id) = identity::bot(bot) {
                self.publish_bot(&id, bot, world, since);
            }
        }
        self.enrol(world, since);
    }

    /// Takes everything from the bots that are gone.
    fn dismiss(&self, world: &World, since: Instant) {
        let living: BTreeSet<BotId> = world.bots.values().filter_map(|bot| identity::bot(bot)).collect();
        for gone in self.hub.bots_of(&world.namespace) {
            if !living.contains(&gone) {
                tracing::info!(bot = %gone, "policy withdrawn");
                self.compiled().remove(&gone);
                self.hub.withdraw(&gone, since);
                self.facts.remove(&gone);
            }
        }
    }

    /// Works out who lives in a namespace, and by which certificates.
    pub(crate) fn enrol(&self, world: &World, since: Instant) {
        // First the policies: a gateway that is no longer admitted is told no more, not even that it may do nothing.
        self.dismiss(world, since);
        let secrets = self.index.live.secrets().of(&world.namespace);
        let sandboxes = |bot: &BotId| {
            let facts = self.facts.of(&bot.namespace, &bot.name);
            let facts = facts.filter(|facts| facts.uid.as_deref() == Some(&bot.uid.to_string()));
            facts.map(|facts| facts.sandboxes.clone()).unwrap_or_default()
        };
        let members = enrolled(world, secrets.iter().map(|secret| &secret.metadata), sandboxes);
        self.hub.enrol(&world.namespace, members);
    }

    fn publish_bot(&self, name: &BotId, bot: &Bot, world: &World, since: Instant) {
        let inputs = Inputs::of(bot, world);
        if self.compiled().get(name) == Some(&inputs) {
            return;
        }
        let Some((draft, facts)) = compile_bot(&name.name, world) else {
            return;
        };
        let draft = if bot.spec.suspend {
            Draft::empty(name)
        } else {
            draft
        };
        let digest = self.hub.publish(name, draft, since);
        tracing::debug!(bot = %name.name, namespace = %name.namespace, %digest, tools = facts.tools, "compiled");
        self.facts.put(name, facts);
        self.compiled().insert(name.clone(), inputs);
    }

    fn compiled(&self) -> MutexGuard<'_, BTreeMap<BotId, Inputs>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pass that panicked ends what runs the passes, as if it had been one with it.
fn raise(error: JoinError) -> ! {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => std::panic::resume_unwind(Box::new(error)),
    }
}

fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}

/// One bot's policy and what is to be told of it. Pure.
pub fn compile_bot(name: &str, world: &World) -> Option<(Draft, BotFacts)> {
    let bot = world.bots.get(name)?;
    let conversion = convert::bot(name, world)?;
    let compilation = compile(&conversion.source);
    let draft = Draft {
        permissions: compilation.document.to_bytes(),
        settings: settings::settings(name, &conversion),
        openings: openings::of_bot(&compilation.document, conversion.resolved.as_ref(), world),
    };
    let facts = BotFacts::new(bot, conversion, compilation, world);
    Some((draft, facts))
}
