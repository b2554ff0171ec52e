//! Who calls, through which door.

use monstrum_wire::identity::{BotName, Identity};
use tonic::{Request, Status};

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
    /// The channel that a caller of Chat speaks for.
    pub(super) fn channel<T>(self, bot: &BotName, request: &Request<T>) -> Result<String, Status> {
        match self {
            Self::Local => Ok(LOCAL_CHANNEL.to_owned()),
            Self::Mutual => match monstrum_service::peer(request)? {
                Identity::Channel { namespace, name } if namespace == bot.namespace => {
                    Ok(format!("channel/{name}"))
                }
                Identity::Channel { .. }
                | Identity::Operator
                | Identity::Ledger
                | Identity::Gateway(_)
                | Identity::Runner { .. } => Err(denied()),
            },
        }
    }

    /// Lets a runner of this bot, or the loopback port, ask the Guardian.
    pub(super) fn guardian<T>(self, bot: &BotName, request: &Request<T>) -> Result<(), Status> {
        match self {
            Self::Local => Ok(()),
            Self::Mutual => match monstrum_service::peer(request)? {
                Identity::Runner { bot: of, .. } if of == *bot => Ok(()),
                Identity::Runner { .. }
                | Identity::Operator
                | Identity::Ledger
                | Identity::Gateway(_)
                | Identity::Channel { .. } => Err(denied()),
            },
        }
    }
}

/// Says nothing about the bot.
fn denied() -> Status {
    Status::permission_denied("this identity may not call this method here")
}
