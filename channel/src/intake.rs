//! The way in for what a platform has received and verified: who may talk, to which bot, in which conversation.

mod attempt;
mod refusal;

use std::sync::Arc;

use monstrum_wire::chat::SendRequest;
use monstrum_wire::ledger::AcceptedMessage;
use sha2::{Digest as _, Sha256};

use crate::channel::Channel;
use crate::inbox;
use crate::platform::{Answer, Undelivered};
use crate::settings::{Route, Talkers};

pub use attempt::Attempt;
use attempt::Held;
pub use refusal::Refusal;

/// The longest id; the ledger takes little more.
const MAX_ID: usize = 200;

/// What a platform received, in its own words.
#[derive(Debug, Clone)]
pub struct Received<'a> {
    /// Which route fits.
    pub route: &'a Route,
    /// The platform's id of the message; the same when it comes again.
    pub id: String,
    /// Who sent it: an id, never a name.
    pub user: String,
    /// The platform's id of the conversation; without one there is a conversation for each sender.
    pub conversation: Option<String>,
    /// What was said.
    pub text: String,
}

/// The bot that a message is for: which object, so that no namesake gets it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Recipient {
    /// Its name, in the channel's namespace.
    pub name: String,
    /// Its UID, as the operator wrote it.
    pub uid: String,
}

/// A message on its way to a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The platform's id of it.
    pub id: String,
    /// Whom it is for.
    pub bot: Recipient,
    /// Its conversation, as the gateway knows it.
    pub session: String,
    /// Who sent it.
    pub user: String,
    /// What was said.
    pub text: String,
}

impl Received<'_> {
    /// What it is on its way to the bot, if it is whole and its sender is one of these.
    pub(crate) fn admitted(self, talkers: &Talkers) -> Result<Message, Refusal> {
        let Self { route, user, .. } = &self;
        if !is_id(&self.id) || !is_id(user) {
            return Err(Refusal::Incomplete);
        }
        if !talkers.may_talk(user) {
            return Err(Refusal::Forbidden);
        }
        let (sort, conversation) = match &self.conversation {
            Some(conversation) => ("conversation", conversation),
            None => ("sender", user),
        };
        if !is_id(conversation) {
            return Err(Refusal::Incomplete);
        }
        Ok(Message {
            bot: (*route).into(),
            session: session(&route.name, sort, conversation),
            id: self.id,
            user: self.user,
            text: self.text,
        })
    }
}

impl From<&Route> for Recipient {
    fn from(route: &Route) -> Self {
        Self {
            name: route.bot.clone(),
            uid: route.bot_uid.clone(),
        }
    }
}

impl From<&Message> for SendRequest {
    fn from(message: &Message) -> Self {
        Self {
            session: message.session.clone(),
            text: message.text.clone(),
            user: message.user.clone(),
            message_id: message.id.clone(),
            images: Vec::new(),
        }
    }
}

impl From<&Message> for AcceptedMessage {
    fn from(message: &Message) -> Self {
        Self {
            bot: message.bot.name.clone(),
            bot_uid: message.bot.uid.clone(),
            session: message.session.clone(),
            user: message.user.clone(),
            text: message.text.clone(),
            message_id: message.id.clone(),
        }
    }
}

impl From<AcceptedMessage> for Message {
    fn from(kept: AcceptedMessage) -> Self {
        Self {
            id: kept.message_id,
            bot: Recipient {
                name: kept.bot,
                uid: kept.bot_uid,
            },
            session: kept.session,
            user: kept.user,
            text: kept.text,
        }
    }
}

/// The way in, for a platform. Clones share it.
#[derive(Debug, Clone)]
pub struct Intake(Arc<Channel>);

impl Intake {
    pub(crate) fn new(channel: Arc<Channel>) -> Self {
        Self(channel)
    }

    /// The routes, in the order in which they are tried.
    pub fn routes(&self) -> &[Route] {
        &self.0.routes
    }

    /// The message that was received, if it is whole and its sender may talk. What is missing is empty.
    pub fn message(&self, received: Received<'_>) -> Result<Message, Refusal> {
        received.admitted(&self.0.talkers)
    }

    /// Has the ledger keep the message, in the write that takes this attempt, until its answer was sent. Not if the attempt was
    /// taken before: then it is a replay.
    pub async fn accept(&self, attempt: Attempt, message: Message) -> Result<bool, Refusal> {
        let parcel = self.0.accept(attempt, message).await?;
        let accepted = parcel.is_some();
        self.count(if accepted { "accepted" } else { "duplicate" });
        if let Some(parcel) = parcel {
            inbox::deliver(&self.0, parcel);
        }
        Ok(accepted)
    }

    /// Has the message answered while its sender waits. Nothing if this attempt was answered before; one that came to a failure that
    /// may pass can be made again.
    pub async fn answer(
        &self,
        attempt: Attempt,
        message: Message,
    ) -> Result<Option<Result<Answer, Undelivered>>, Refusal> {
        let Some(held) = Held::take(&self.0, attempt).await? else {
            self.count("duplicate");
            return Ok(None);
        };
        self.count("accepted");
        let answer = held.during(self.0.deliver(&message)).await;
        if answer.as_ref().is_err_and(Undelivered::may_pass) {
            held.give_back().await;
        } else {
            held.settle().await;
        }
        Ok(Some(answer))
    }

    /// Takes an attempt that is refused, so that it stays refused when the settings change. Not if it was taken before.
    pub async fn take(&self, attempt: &Attempt) -> Result<bool, Refusal> {
        let Attempt { id, keep } = attempt;
        let fresh = self.0.ledger.take_once(&self.0.scope(), id, *keep).await?;
        if !fresh {
            self.count("duplicate");
        }
        Ok(fresh)
    }

    /// Counts what came of a request.
    pub fn count(&self, outcome: &'static str) {
        self.0.metrics.request(outcome);
    }
}

/// An id as platforms have them. Never a name.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID && !id.chars().any(char::is_control)
}

/// The session's name at the gateway: one word for every conversation, whatever characters its id has. Two routes, or a sender's and a
/// named conversation, never share one.
fn session(route: &str, sort: &str, conversation: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [route, sort, conversation] {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    let digest = hex::encode(hasher.finalize());
    format!("{route}.{}", digest.get(..32).unwrap_or(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_do_not_mix() {
        let of = session;
        assert_ne!(of("a", "conversation", "x"), of("a", "sender", "x"));
        assert_ne!(of("a", "conversation", "x"), of("b", "conversation", "x"));
        assert_ne!(of("a", "conversation", "x"), of("a", "conversation", "y"));
        assert_eq!(of("a", "conversation", "x"), of("a", "conversation", "x"));
    }
}
