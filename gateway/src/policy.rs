//! The one policy that this gateway enforces: newest wins, a lapsed lease denies.

mod admission;
mod subscription;

use std::sync::Arc;
use std::time::Duration;

use monstrum_guardian::Engine;
use monstrum_guardian::source::BotName;
use monstrum_wire::policy::{Renewal, Settings, Snapshot, Version};
use tokio::sync::watch;
use tokio::time::Instant;

pub use subscription::Subscription;

/// A policy that was verified and loaded.
#[derive(Debug)]
pub struct Enforced {
    /// Decides.
    pub engine: Engine,
    /// Everything beyond permissions.
    pub settings: Settings,
    /// As the gateway computed it; empty when there is no policy.
    pub digest: String,
    /// Its place in the order of policies.
    pub version: Version,
}

/// What came of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is enforced from now on.
    Enforced,
    /// It can't be used: everything is denied until another comes.
    Faulty(String),
    /// It is older than what was seen before, and nothing changed.
    Older,
}

/// The policy in force, shared by everything that asks.
#[derive(Debug, Clone)]
pub struct Policy {
    bot: BotName,
    empty: Arc<Enforced>,
    state: Arc<watch::Sender<State>>,
}

#[derive(Debug, Clone)]
struct State {
    enforced: Option<Arc<Enforced>>,
    until: Instant,
    newest: Option<Newest>,
}

/// The newest policy that was ever seen; without a digest when it could not be used.
#[derive(Debug, Clone)]
struct Newest {
    version: Version,
    digest: Option<String>,
}

impl Policy {
    /// No policy yet: everything is denied.
    pub fn new(bot: BotName) -> Self {
        let empty = Enforced {
            engine: Engine::empty(bot.clone()),
            settings: Settings::default(),
            digest: String::new(),
            version: Version::default(),
        };
        let state = State {
            enforced: None,
            until: Instant::now(),
            newest: None,
        };
        Self {
            bot,
            empty: Arc::new(empty),
            state: Arc::new(watch::Sender::new(state)),
        }
    }

    /// What holds at this moment; a policy without permissions when there is none or its lease is over.
    pub fn current(&self) -> Arc<Enforced> {
        let state = self.state.borrow();
        match &state.enforced {
            Some(enforced) if Instant::now() < state.until => Arc::clone(enforced),
            Some(_) | None => Arc::clone(&self.empty),
        }
    }

    /// Whether a policy holds at this moment.
    pub fn holds(&self) -> bool {
        !self.lease_left().is_zero()
    }

    /// How long the policy holds without renewal; zero when none does.
    pub fn lease_left(&self) -> Duration {
        let state = self.state.borrow();
        state.enforced.as_ref().map_or(Duration::ZERO, |_| {
            state.until.saturating_duration_since(Instant::now())
        })
    }

    /// The newest version seen, for the operator.
    pub fn held(&self) -> Option<Version> {
        self.state.borrow().newest.as_ref().map(|newest| newest.version)
    }

    /// Sees each change of what is enforced.
    pub fn changes(&self) -> Changes {
        Changes {
            receiver: self.state.subscribe(),
        }
    }

    /// Verifies, loads and enforces a snapshot.
    pub fn take(&self, snapshot: &Snapshot) -> Taken {
        let version = snapshot.version.unwrap_or_default();
        if let Some(taken) = self.against_newest(version, snapshot) {
            return taken;
        }
        let (enforced, fault) = match admission::admit(&self.bot, snapshot) {
            Ok(enforced) => (Some(Arc::new(enforced)), None),
            Err(fault) => (None, Some(fault)),
        };
        let digest = enforced.as_ref().map(|enforced| enforced.digest.clone());
        let until = after(snapshot.lease_seconds);
        // The same content may come under an older version after a lapse; the order never goes back.
        let version = self
            .held()
            .filter(|held| key(*held) > key(version))
            .unwrap_or(version);
        self.state.send_replace(State {
            enforced,
            until,
            newest: Some(Newest { version, digest }),
        });
        fault.map_or(Taken::Enforced, |fault| Taken::Faulty(fault.to_string()))
    }

    /// Prolongs the lease of exactly the policy that is held. Anything else changes nothing.
    pub fn renew(&self, renewal: &Renewal) -> bool {
        let mut renewed = false;
        self.state.send_if_modified(|state| {
            let known = state.newest.as_ref().and_then(|newest| newest.digest.as_deref());
            renewed = known == Some(&renewal.digest) && state.enforced.is_some();
            if renewed {
                state.until = after(renewal.lease_seconds);
            }
            // Nobody has to look again: what is enforced stays the same.
            false
        });
        renewed
    }

    /// Denies everything from the end of each lease on, until the next policy. Runs for ever.
    pub async fn watch_lease(&self) {
        let mut changes = self.changes();
        loop {
            let (until, held) = {
                let state = self.state.borrow();
                (state.until, state.enforced.is_some())
            };
            if held {
                tokio::select! {
                    () = tokio::time::sleep_until(until) => self.lapse(),
                    () = changes.next() => {}
                }
            } else {
                changes.next().await;
            }
        }
    }

    /// A renewal may have come since the caller looked, so the clock decides.
    fn lapse(&self) {
        let lapsed = self.state.send_if_modified(|state| {
            let over = state.enforced.is_some() && Instant::now() >= state.until;
            if over {
                state.enforced = None;
            }
            over
        });
        if lapsed {
            tracing::warn!("the policy's lease is over; every call is denied");
        }
    }

    /// Decides what needs no loading: an older snapshot, or one that is held already.
    fn against_newest(&self, version: Version, snapshot: &Snapshot) -> Option<Taken> {
        let mut taken = None;
        self.state.send_if_modified(|state| {
            let Some(newest) = &state.newest else { return false };
            let order = key(version).cmp(&key(newest.version));
            let same = newest.digest.as_deref() == Some(snapshot.digest.as_str());
            // After a fault the same version may come again, put right.
            let may_replace = order.is_gt() || (order.is_eq() && newest.digest.is_none());
            if same && state.enforced.is_some() && !order.is_gt() {
                state.until = after(snapshot.lease_seconds);
                taken = Some(Taken::Enforced);
            } else if !may_replace && !same {
                taken = Some(Taken::Older);
            }
            false
        });
        taken
    }
}

/// Waits for changes of what is enforced.
#[derive(Debug, Clone)]
pub struct Changes {
    receiver: watch::Receiver<State>,
}

impl Changes {
    /// The next change since the last look. Never resolves once the policy is gone for good.
    pub async fn next(&mut self) {
        if self.receiver.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn key(version: Version) -> (u64, u64) {
    (version.epoch, version.sequence)
}

fn after(seconds: u32) -> Instant {
    let now = Instant::now();
    now.checked_add(Duration::from_secs(u64::from(seconds)))
        .unwrap_or(now)
}

#[cfg(test)]
mod tests;
