//! The gateways of a channel's routes. A gateway runs a message once, by its id, so that a delivery that broke off is simply made
//! again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use monstrum_service::{Channel, Tls};
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::chat::turn_event::Event;
use monstrum_wire::chat::{Failed, TurnEvent};
use monstrum_wire::identity::{BotId, Identity, UidError};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;
use tonic::{Code, Status, Streaming};

use super::{Answer, Undelivered};
use crate::intake::{Message, Recipient};

/// How long a gateway that is away is tried again.
const PATIENCE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// The longest that one turn is waited for; its own bound is in the bot's policy.
const LONGEST_TURN: Duration = Duration::from_hours(1);
/// The largest event that is read.
const MAX_EVENT: usize = 20 << 20;
/// Failures of a gateway that another one, or the same a moment later, does not have.
const PASSING: [&str; 2] = ["Draining", "SessionLost"];

/// The gateways of one namespace.
pub(crate) struct Gateways {
    tls: Tls,
    template: String,
    namespace: String,
    channels: Mutex<HashMap<Recipient, Channel>>,
}

enum Broken {
    /// Worth another attempt.
    Passing(Undelivered),
    Final(Undelivered),
}

impl Gateways {
    pub(crate) fn new(tls: Tls, template: String, namespace: String) -> Self {
        Self {
            tls,
            template,
            namespace,
            channels: Mutex::default(),
        }
    }

    /// Has the message answered. Steps that nobody takes are left out.
    pub(super) async fn deliver(
        &self,
        message: &Message,
        steps: &Sender<Event>,
    ) -> Result<Answer, Undelivered> {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let undelivered = match self.attempt(message, steps).await {
                Ok(answer) => return Ok(answer),
                Err(Broken::Final(undelivered)) => return Err(undelivered),
                Err(Broken::Passing(undelivered)) => undelivered,
            };
            if began.elapsed() >= PATIENCE {
                return Err(undelivered);
            }
            tracing::debug!(
                bot = message.bot.name,
                code = undelivered.code,
                "the message is delivered again"
            );
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self, message: &Message, steps: &Sender<Event>) -> Result<Answer, Broken> {
        let channel = self.channel(&message.bot)?;
        let mut client = ChatClient::new(channel).max_decoding_message_size(MAX_EVENT);
        let turn = async {
            let sent = client.send(tonic::Request::new(message.into())).await;
            let events = sent.map_err(|status| broken(&status))?.into_inner();
            follow(events, message, steps).await
        };
        tokio::time::timeout(LONGEST_TURN, turn)
            .await
            .unwrap_or_else(|_| Err(Broken::Final(away())))
    }

    /// One connection per bot, made when it is first needed.
    fn channel(&self, bot: &Recipient) -> Result<Channel, Broken> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(bot) {
            return Ok(channel.clone());
        }
        let uri = self
            .template
            .replace("{bot}", &bot.name)
            .replace("{namespace}", &self.namespace);
        let unusable = |error: &dyn std::fmt::Display| {
            tracing::error!(bot = bot.name, error = %error, "the gateway's address can't be used");
            Broken::Final(away())
        };
        let server = Identity::Gateway(BotId {
            namespace: self.namespace.clone(),
            name: bot.name.clone(),
            uid: bot.uid.parse().map_err(|error: UidError| unusable(&error))?,
        });
        let channel = self
            .tls
            .channel(&uri, &server)
            .map_err(|error| unusable(&error))?;
        channels.insert(bot.clone(), channel.clone());
        Ok(channel)
    }
}

/// The turn, to its end.
async fn follow(
    mut events: Streaming<TurnEvent>,
    message: &Message,
    steps: &Sender<Event>,
) -> Result<Answer, Broken> {
    let mut session = message.session.clone();
    while let Some(TurnEvent { event }) = events.message().await.map_err(|status| broken(&status))? {
        match event {
            Some(Event::Done(done)) => {
                return Ok(Answer {
                    session,
                    text: done.text,
                });
            }
            Some(Event::Failed(failed)) => return Err(failure(&failed)),
            Some(step) => {
                if let Event::Started(started) = &step {
                    session.clone_from(&started.session);
                }
                // Of a platform that is slower than the turn, steps are left out.
                drop(steps.try_send(step));
            }
            None => {}
        }
    }
    Err(Broken::Passing(away()))
}

fn failure(failed: &Failed) -> Broken {
    let undelivered = Undelivered::new(&failed.code, &failed.message);
    if PASSING.contains(&failed.code.as_str()) {
        Broken::Passing(undelivered)
    } else {
        Broken::Final(undelivered)
    }
}

fn away() -> Undelivered {
    Undelivered::new(
        "Unavailable",
        "The bot can't be reached right now. Send the message again later.",
    )
}

fn broken(status: &Status) -> Broken {
    match status.code() {
        Code::PermissionDenied | Code::Unauthenticated | Code::InvalidArgument | Code::Unimplemented => {
            tracing::error!(status = %status, "the gateway refused the message");
            Broken::Final(Undelivered::new(
                "Refused",
                "The bot does not take messages of this channel.",
            ))
        }
        _ => Broken::Passing(away()),
    }
}
