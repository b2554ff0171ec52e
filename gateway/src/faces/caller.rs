//! Who calls, through which door.

use monstrum_service::peer;
use monstrum_wire::identity::Identity;
use tonic::{Request, Status};

use crate::gateway::Gateway;
use crate::policy::Enforced;

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

    /// The name of the runner that calls; nobody else runs calls.
    pub(super) fn runner<T>(self, gateway: &Gateway, request: &Request<T>) -> Result<String, Status> {
        match self {
            Self::Local => Err(denied()),
            Self::Mutual => match gateway.roster.admit(request)? {
                Identity::Runner { bot, runner } if bot == gateway.bot => Ok(runner),
                Identity::Runner { .. }
                | Identity::Operator
                | Identity::Ledger
                | Identity::Gateway(_)
                | Identity::Channel(_) => Err(denied()),
            },
        }
    }

    /// Lets a runner of this bot, or the loopback port, ask the Guardian about this policy.
    pub(super) fn guardian<T>(
        self,
        gateway: &Gateway,
        policy: &Enforced,
        request: &Request<T>,
    ) -> Result<(), Status> {
        let of_this_bot = |identity: &Identity| match identity {
            Identity::Runner { bot, .. } => *bot == gateway.bot,
            Identity::Operator | Identity::Ledger | Identity::Gateway(_) | Identity::Channel(_) => false,
        };
        match self {
            Self::Local => Ok(()),
            // Where there is no policy nobody says who lives, and the answer is a denial whoever asks.
            Self::Mutual if policy.digest.is_empty() && of_this_bot(&peer(request)?.identity) => Ok(()),
            Self::Mutual if of_this_bot(&gateway.roster.admit(request)?) => Ok(()),
            Self::Mutual => Err(denied()),
        }
    }
}

/// Says nothing about the bot.
fn denied() -> Status {
    Status::permission_denied("this identity may not call this method here")
}
