//! Who lives, as the leading operator last said: the objects behind certificates, and which certificates are theirs.
//!
//! A certificate is signed for a day, and an object can be gone in a second. Whoever serves others therefore asks the
//! roster about each request, and ends what is open when its caller is gone from it. It is leased like a policy: without the
//! operator nobody is admitted.

mod member;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use monstrum_wire::identity::{Identity, Uid};
use monstrum_wire::policy;
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::{Request, Status};

use crate::tls::{Peer, peer};
use member::Member;

/// The members of one namespace.
type Members = HashMap<Identity, Member>;

/// Who lives. Clones share it.
#[derive(Debug, Clone)]
pub struct Roster {
    state: Arc<watch::Sender<State>>,
}

#[derive(Debug, Clone)]
struct State {
    epoch: u64,
    /// Everybody is a stranger from then on.
    until: Instant,
    namespaces: HashMap<String, Members>,
}

/// What a roster says of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It lives, and shows a certificate that is good.
    Admitted,
    /// It does not, or does not.
    Stranger,
    /// Nobody knows at this moment.
    Unknown,
}

/// Why what was said is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// A later leader has spoken already.
    #[error("an operator that does not lead any more says who lives")]
    Older,
    /// It is not as it must be.
    #[error("the roster of namespace {namespace:?} has a {what} that can't be read: {text:?}")]
    Unreadable {
        /// Whose roster.
        namespace: String,
        /// Which part.
        what: &'static str,
        /// What it says.
        text: String,
    },
}

impl Default for Roster {
    fn default() -> Self {
        let state = State {
            epoch: 0,
            until: Instant::now(),
            namespaces: HashMap::new(),
        };
        Self {
            state: Arc::new(watch::Sender::new(state)),
        }
    }
}

impl Roster {
    /// Takes up what the leader of `epoch` says: `whole` takes the place of everything, otherwise each roster that of its
    /// namespace. An error changes nothing.
    pub fn take(
        &self,
        epoch: u64,
        whole: bool,
        rosters: &[policy::Roster],
        lease: Duration,
    ) -> Result<(), RosterError> {
        let now = Instant::now();
        let mut read = Vec::with_capacity(rosters.len());
        for roster in rosters {
            read.push((roster.namespace.clone(), member::read_all(roster, now)?));
        }
        let mut taken = Ok(());
        self.state.send_if_modified(|state| {
            if epoch < state.epoch {
                taken = Err(RosterError::Older);
                return false;
            }
            state.epoch = epoch;
            state.until = now.checked_add(lease).unwrap_or(now);
            let changed = whole || !read.is_empty();
            if whole {
                state.namespaces.clear();
            }
            for (namespace, members) in std::mem::take(&mut read) {
                if members.is_empty() {
                    state.namespaces.remove(&namespace);
                } else {
                    state.namespaces.insert(namespace, members);
                }
            }
            changed
        });
        taken
    }

    /// What was said holds for another `lease`.
    pub fn prolong(&self, lease: Duration) {
        let now = Instant::now();
        self.state.send_if_modified(|state| {
            state.until = now.checked_add(lease).unwrap_or(now);
            false
        });
    }

    /// Whether a peer may be served.
    pub fn admission(&self, peer: &Peer) -> Admission {
        let (state, now) = (self.state.borrow(), Instant::now());
        if now >= state.until {
            return Admission::Unknown;
        }
        match state.member(&peer.identity) {
            Some(member) if member.holds(&peer.serial, now) => Admission::Admitted,
            Some(_) | None => Admission::Stranger,
        }
    }

    /// Who makes a request, if it may be served. A stranger is not told why.
    pub fn admit<T>(&self, request: &Request<T>) -> Result<Identity, Status> {
        let peer = peer(request)?;
        match self.admission(&peer) {
            Admission::Admitted => Ok(peer.identity),
            Admission::Stranger => {
                tracing::warn!(caller = %peer.identity, serial = %peer.serial, "refused: dismissed, or by an old certificate");
                Err(Status::permission_denied("this identity may not call here"))
            }
            Admission::Unknown => Err(Status::unavailable(
                "who may call is not known right now: try again",
            )),
        }
    }

    /// Whether the object of an identity is there, by whatever certificate. True while nobody knows.
    pub fn lives(&self, identity: &Identity) -> bool {
        let state = self.state.borrow();
        Instant::now() >= state.until || state.member(identity).is_some()
    }

    /// The Workspace of a bot's namespace.
    pub fn workspace(&self, gateway: &Identity) -> Option<Uid> {
        self.state.borrow().member(gateway)?.workspace
    }

    /// Whether it is known at this moment who lives.
    pub fn holds(&self) -> bool {
        Instant::now() < self.state.borrow().until
    }

    /// Tells of each change of who lives, or of their certificates.
    pub fn changes(&self) -> Changes {
        Changes {
            receiver: self.state.subscribe(),
        }
    }
}

impl State {
    fn member(&self, identity: &Identity) -> Option<&Member> {
        self.namespaces.get(identity.namespace()?)?.get(identity)
    }
}

/// Waits for changes of a roster.
#[derive(Debug)]
pub struct Changes {
    receiver: watch::Receiver<State>,
}

impl Changes {
    /// The next change since the last look. Never resolves once the roster is gone for good.
    pub async fn next(&mut self) {
        if self.receiver.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests;
