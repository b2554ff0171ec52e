//! Who calls, and what is theirs.

use std::ops::Deref;

use monstrum_service::peer;
use monstrum_wire::identity::Identity;
use tonic::Request;

use super::lane::Place;
use super::{Api, Refusal};
use crate::tenant::{BotKey, Owner};

/// A caller whose request is being worked on.
pub(super) struct Caller<K> {
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
    pub(super) async fn bot<T>(&self, request: &Request<T>) -> Result<Caller<BotKey>, Refusal> {
        let key = bot(peer(request).map_err(Refusal::Nobody)?)?;
        let place = self.lanes.enter(Owner::from(&key).as_str()).await;
        Ok(Caller { key, _place: place })
    }

    /// The bot or the channel that calls, as the owner of ids, when it is its turn.
    pub(super) async fn owner<T>(&self, request: &Request<T>) -> Result<Caller<Owner>, Refusal> {
        let key = owner(peer(request).map_err(Refusal::Nobody)?)?;
        let place = self.lanes.enter(key.as_str()).await;
        Ok(Caller { key, _place: place })
    }

    /// The channel that calls, as the owner of its messages, when it is its turn. Nobody else reaches them.
    pub(super) async fn channel<T>(&self, request: &Request<T>) -> Result<Caller<Owner>, Refusal> {
        let key = channel(peer(request).map_err(Refusal::Nobody)?)?;
        let place = self.lanes.enter(key.as_str()).await;
        Ok(Caller { key, _place: place })
    }
}

fn bot(identity: Identity) -> Result<BotKey, Refusal> {
    match identity {
        Identity::Gateway(bot) => Ok(BotKey::from(&bot)),
        other @ (Identity::Operator
        | Identity::Ledger
        | Identity::Runner { .. }
        | Identity::Channel { .. }) => Err(Refusal::Forbidden(other)),
    }
}

fn owner(identity: Identity) -> Result<Owner, Refusal> {
    match identity {
        Identity::Gateway(bot) => Ok(Owner::from(&BotKey::from(&bot))),
        Identity::Channel { namespace, name } => Ok(Owner::channel(&namespace, &name)),
        other @ (Identity::Operator | Identity::Ledger | Identity::Runner { .. }) => {
            Err(Refusal::Forbidden(other))
        }
    }
}

fn channel(identity: Identity) -> Result<Owner, Refusal> {
    match identity {
        Identity::Channel { namespace, name } => Ok(Owner::channel(&namespace, &name)),
        other @ (Identity::Operator | Identity::Ledger | Identity::Gateway(_) | Identity::Runner { .. }) => {
            Err(Refusal::NoChannel(other))
        }
    }
}
