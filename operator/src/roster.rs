//! Who lives, and by which certificates: what gateways and the ledger are told, and what this operator itself asks before
//! it answers.
//!
//! Worked out from the objects that there are and the annotations of the Secrets that their certificates are in, so that every
//! replica of the operator knows the same without a state of its own. Nobody else's word counts.

mod enrolled;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use monstrum_service::Peer;
use monstrum_wire::identity::{BotId, Identity};
use tokio::sync::watch;

use crate::child::Certificate;

pub use enrolled::{Enrolled, enrolled};

/// Everybody who lives in one namespace.
pub type Members = Arc<Vec<Enrolled>>;

/// Who lives.
#[derive(Debug, Clone, Default)]
pub struct Living {
    /// By namespace.
    pub namespaces: BTreeMap<String, Members>,
    ledger: Vec<Certificate>,
}

/// What concerns the gateways of one bot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// By which they are known themselves.
    pub certificates: Vec<Certificate>,
    /// Everybody who may call them.
    pub callers: Vec<Enrolled>,
}

/// Who lives, shared by everything that asks.
#[derive(Debug, Default)]
pub struct Rosters {
    living: watch::Sender<Living>,
}

impl Rosters {
    /// Sets who lives in a namespace.
    pub fn set(&self, namespace: &str, members: Vec<Enrolled>) {
        self.living.send_if_modified(|living| {
            let known = living.namespaces.get(namespace);
            if known.map_or(members.is_empty(), |known| **known == members) {
                return false;
            }
            if members.is_empty() {
                living.namespaces.remove(namespace);
            } else {
                living.namespaces.insert(namespace.to_owned(), Arc::new(members));
            }
            true
        });
    }

    /// Sets by which certificates the ledger is known.
    pub fn set_ledger(&self, certificates: Vec<Certificate>) {
        self.living.send_if_modified(|living| {
            let changed = living.ledger != certificates;
            living.ledger = certificates;
            changed
        });
    }

    /// Whether a caller lives, and shows a certificate that is good.
    pub fn admits(&self, peer: &Peer) -> bool {
        let (living, now) = (self.living.borrow(), Timestamp::now());
        let holds = |certificates: &[Certificate]| {
            certificates
                .iter()
                .any(|certificate| certificate.serial == peer.serial && certificate.is_good(now))
        };
        match &peer.identity {
            Identity::Ledger => holds(&living.ledger),
            Identity::Operator => false,
            Identity::Gateway(_) | Identity::Runner { .. } | Identity::Channel(_) => living
                .member(&peer.identity)
                .is_some_and(|member| holds(&member.certificates)),
        }
    }

    /// What concerns the gateways of a bot.
    pub fn around(&self, bot: &BotId) -> Around {
        let living = self.living.borrow();
        let members = living.namespaces.get(&bot.namespace).into_iter();
        let callers = members
            .flat_map(|members| members.iter())
            .filter(|member| member.calls.contains(bot));
        let own = living.member(&Identity::Gateway(bot.clone()));
        Around {
            certificates: own.map(|own| own.certificates.clone()).unwrap_or_default(),
            callers: callers.cloned().collect(),
        }
    }

    /// Who lives now, and every change of it.
    pub fn watch(&self) -> watch::Receiver<Living> {
        self.living.subscribe()
    }
}

impl Living {
    fn member(&self, identity: &Identity) -> Option<&Enrolled> {
        let members = self.namespaces.get(identity.namespace()?)?;
        members.iter().find(|member| member.identity == *identity)
    }
}
