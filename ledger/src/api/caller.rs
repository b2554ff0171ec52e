//! Who calls, and what is theirs.

use monstrum_service::peer;
use monstrum_wire::identity::Identity;
use tonic::Request;

use super::Refusal;
use crate::tenant::{BotKey, Owner};

/// The bot whose gateway calls. Nobody else reaches a bot's rows.
pub(super) fn bot<T>(request: &Request<T>) -> Result<BotKey, Refusal> {
    match peer(request).map_err(Refusal::Nobody)? {
        Identity::Gateway(bot) => Ok(BotKey::from(&bot)),
        other @ (Identity::Operator | Identity::Ledger | Identity::Runner { .. } | Identity::Channel { .. }) => {
            Err(Refusal::Forbidden(other))
        }
    }
}

/// The bot or the channel that calls, as the owner of ids.
pub(super) fn owner<T>(request: &Request<T>) -> Result<Owner, Refusal> {
    match peer(request).map_err(Refusal::Nobody)? {
        Identity::Gateway(bot) => Ok(Owner::from(&BotKey::from(&bot))),
        Identity::Channel { namespace, name } => Ok(Owner::channel(&namespace, &name)),
        other @ (Identity::Operator | Identity::Ledger | Identity::Runner { .. }) => {
            Err(Refusal::Forbidden(other))
        }
    }
}
