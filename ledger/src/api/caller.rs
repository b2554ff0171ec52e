//! Who calls, and what is theirs.

use std::ops::Deref;

use monstrum_service::{Admission, Peer, peer};
use monstrum_wire::identity::Identity;
use tonic::Request;

use super::lane::Place;
use super::{Api, Refusal};
use crate::tenant::{BotKey, Owner, Spender};

/// A caller whose request is being worked on.
pub(crate) struct Caller<K> {
    key: K,
    _place: Place,
}

impl<K> Deref for Caller<K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.key
    }
}

impl<S> Api<S> {
    /// The bot whose gateway calls, when it is its turn. Nobody else reaches a bot's rows.
    pub(crate) async fn bot<T>(&self, request: &Request<T>) -> Result<Caller<BotKey>, Refusal> {
        let key = self.admitted(request, bot)?;
        let place = self.lanes.enter(Owner::from(&key).as_str()).await;
        Ok(Caller { key, _place: place })
    }

    /// The bot whose gateway calls, with the Workspace that it is of, when it is its turn.
    pub(crate) async fn spender<T>(&self, request: &Request<T>) -> Result<Caller<Spender>, Refusal> {
        let key = self.admitted(request, |identity| {
            Ok(Spender {
                bot: bot(identity)?,
                workspace: self
                    .roster
                    .workspace(identity)
                    .zip(identity.namespace())
                    .map(|(uid, namespace)| Owner::workspace(namespace, uid)),
            })
        })?;
        let place = self.lanes.enter(Owner::from(&key.bot).as_str()).await;
        Ok(Caller { key, _place: place })
    }

    /// The bot or the channel that calls, as the owner of ids, when it is its turn.
    pub(crate) async fn owner<T>(&self, request: &Request<T>) -> Result<Caller<Owner>, Refusal> {
        let key = self.admitted(request, owner)?;
        let place = self.lanes.enter(key.as_str()).await;
        Ok(Caller { key, _place: place })
    }

    /// The channel that calls, as the owner of its messages, when it is its turn. Nobody else reaches them.
    pub(crate) async fn channel<T>(&self, request: &Request<T>) -> Result<Caller<Owner>, Refusal> {
        let key = self.admitted(request, channel)?;
        let place = self.lanes.enter(key.as_str()).await;
        Ok(Caller { key, _place: place })
    }

    /// What is the caller's, if it is of the right sort, lives, and shows a certificate that is good.
    fn admitted<T, K>(
        &self,
        request: &Request<T>,
        key: impl FnOnce(&Identity) -> Result<K, Refusal>,
    ) -> Result<K, Refusal> {
        let peer = peer(request).map_err(Refusal::Nobody)?;
        let key = key(&peer.identity)?;
        self.require_admitted(&peer)?;
        Ok(key)
    }

    /// Lets on whoever lives and shows a certificate that is good.
    pub(crate) fn require_admitted(&self, peer: &Peer) -> Result<(), Refusal> {
        match self.roster.admission(peer) {
            Admission::Admitted => Ok(()),
            Admission::Stranger => Err(Refusal::Dismissed(peer.identity.clone())),
            Admission::Unknown => Err(Refusal::Unenrolled),
        }
    }
}

fn bot(identity: &Identity) -> Result<BotKey, Refusal> {
    match identity {
        Identity::Gateway(bot) => Ok(BotKey::from(bot)),
        Identity::Operator | Identity::Ledger | Identity::Runner { .. } | Identity::Channel(_) => {
            Err(Refusal::Forbidden(identity.clone()))
        }
    }
}

fn owner(identity: &Identity) -> Result<Owner, Refusal> {
    match identity {
        Identity::Gateway(bot) => Ok(Owner::from(&BotKey::from(bot))),
        Identity::Channel(channel) => Ok(Owner::from(channel)),
        Identity::Operator | Identity::Ledger | Identity::Runner { .. } => {
            Err(Refusal::Forbidden(identity.clone()))
        }
    }
}

fn channel(identity: &Identity) -> Result<Owner, Refusal> {
    match identity {
        Identity::Channel(channel) => Ok(Owner::from(channel)),
        Identity::Operator | Identity::Ledger | Identity::Gateway(_) | Identity::Runner { .. } => {
            Err(Refusal::NoChannel(identity.clone()))
        }
    }
}
