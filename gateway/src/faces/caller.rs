//! Who calls, through which door.

use monstrum_wire::identity::Identity;
use tonic::{Request, Status};

use crate::gateway::Gateway;

/// Where a call came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Between pods, with certificates.
    Mutual,
    /// The loopback port.
    Local,
}

/// The channel that conversations through the loopback port belong to.
pub(super) const LOCAL_CHANNEL: &str = "local";

impl Door {
    /// The channel that a caller of Chat speaks for: one that has a route to this bot.
    pub(super) fn channel<T>(self, gateway: &Gateway, request: &Request<T>) -> Result<String, Status> {
        match self {
            Self::Local => Ok(LOCAL_CHANNEL.to_owned()),
            // The roster holds nobody but this bot's own runners and the channels that are routed to it.
            Self::Mutual => match gateway.roster.admit(request)? {
                // With its UID: what was said through one is not said on through a later one of the same name.
                Identity::Channel(channel) => Ok(format!("channel/{}/{}", channel.name, channel.uid)),
                Identity::Operator | Identity::Ledger | Identity::Gateway(_) | Identity::Runner { .. } => {
                    Err(denied())
                }
            },
        }
    }

    /// Lets a runner of this bot, or the loopback port, ask the Guardian.
    pub(super) fn guardian<T>(self, gateway: &Gateway, request: &Request<T>) -> Result<(), Status> {
        match self {
            Self::Local => Ok(()),
            Self::Mutual => match gateway.roster.admit(request)? {
                Identity::Runner { bot, .. } if bot == gateway.bot => Ok(()),
                Identity::Runner { .. }
                | Identity::Operator
                | Identity::Ledger
                | Identity::Gateway(_)
                | Identity::Channel(_) => Err(denied()),
            },
        }
    }
}

/// Says nothing about the bot.
fn denied() -> Status {
    Status::permission_denied("this identity may not call this method here")
}
