//! Messages to the bots' gateways, and their answers back. A gateway runs a message once, by its id, so that a delivery that broke
//! off is simply made again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use monstrum_service::{Channel, Tls};
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::chat::{SendRequest, turn_event};
use monstrum_wire::identity::{BotId, Identity, UidError};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::route::Recipient;

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

/// A bot's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) session: String,
    pub(crate) text: String,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undelivered {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// The gateways of one namespace.
pub(crate) struct Gateways {
    tls: Tls,
    template: String,
    namespace: String,
    channels: Mutex<HashMap<Recipient, Channel>>,
}

impl std::fmt::Debug for Gateways {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateways")
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
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

    /// Has the message answered.
    pub(crate) async fn deliver(
        &self,
        bot: &Recipient,
        request: &SendRequest,
    ) -> Result<Answer, Undelivered> {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let undelivered = match self.attempt(bot, request).await {
                Ok(answer) => return Ok(answer),
                Err(Broken::Final(undelivered)) => return Err(undelivered),
                Err(Broken::Passing(undelivered)) => undelivered,
            };
            if began.elapsed() >= PATIENCE {
                return Err(undelivered);
            }
            tracing::debug!(
                bot = bot.name,
                code = undelivered.code,
                "the message is delivered again"
            );
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self, bot: &Recipient, request: &SendRequest) -> Result<Answer, Broken> {
        let channel = self.channel(bot)?;
        let mut client = ChatClient::new(channel).max_decoding_message_size(MAX_EVENT);
        let turn = async {
            let mut events = client
                .send(request.clone())
                .await
                .map_err(|status| broken(&status))?
                .into_inner();
            let mut session = request.session.clone();
            while let Some(event) = events.message().await.map_err(|status| broken(&status))? {
                match event.event {
                    Some(turn_event::Event::Started(started)) => session = started.session,
                    Some(turn_event::Event::Done(done)) => {
                        return Ok(Answer {
                            session,
                            text: done.text,
                        });
                    }
                    Some(turn_event::Event::Failed(failed)) => {
                        let passing = PASSING.contains(&failed.code.as_str());
                        let undelivered = Undelivered {
                            code: failed.code,
                            message: failed.message,
                        };
                        return Err(if passing {
                            Broken::Passing(undelivered)
                        } else {
                            Broken::Final(undelivered)
                        });
                    }
                    Some(
                        turn_event::Event::Text(_)
                        | turn_event::Event::Call(_)
                        | turn_event::Event::Decision(_)
                        | turn_event::Event::Result(_)
                        | turn_event::Event::Queued(_),
                    )
                    | None => {}
                }
            }
            Err(Broken::Passing(away()))
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

fn away() -> Undelivered {
    Undelivered {
        code: "Unavailable".to_owned(),
        message: "The bot can't be reached right now. Send the message again later.".to_owned(),
    }
}

fn broken(status: &Status) -> Broken {
    match status.code() {
        Code::PermissionDenied | Code::Unauthenticated | Code::InvalidArgument | Code::Unimplemented => {
            tracing::error!(status = %status, "the gateway refused the message");
            Broken::Final(Undelivered {
                code: "Refused".to_owned(),
                message: "The bot does not take messages of this channel.".to_owned(),
            })
        }
        _ => Broken::Passing(away()),
    }
}
