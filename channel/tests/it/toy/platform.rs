//! A platform that calls nobody: the channel dials, and what is said goes over that connection in both directions, a JSON object a
//! line. Everything that another platform needs is in this file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use monstrum_channel::intake::{Attempt, Intake, Message, Received, Refusal};
use monstrum_channel::platform::{Answer, Means, Platform, Progress, Receiving, Undelivered, Unsent};
use monstrum_channel::secret::{Secret, SecretError};
use monstrum_wire::chat::CallDecision;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Mutex;

/// How long its server comes again with a message.
const REPEATS: Duration = Duration::from_secs(3600);

/// What channels of this platform alone have.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    pub server: SocketAddr,
    /// In which rooms the bot of each route listens.
    pub routes: BTreeMap<String, Vec<String>>,
}

/// What its server says.
#[derive(Debug, Deserialize)]
struct Said {
    id: String,
    room: String,
    user: String,
    text: String,
}

pub struct Toy {
    settings: Settings,
    token: Arc<Secret<String>>,
    out: Mutex<Option<OwnedWriteHalf>>,
}

impl Toy {
    pub fn new(settings: Settings, means: Means) -> Result<Self, SecretError> {
        let parse = |text: &str| match text.trim() {
            "" => Err("holds no token".to_owned()),
            token => Ok(token.to_owned()),
        };
        Ok(Self {
            settings,
            token: Secret::follow(means.secret, parse, &means.service)?,
            out: Mutex::default(),
        })
    }

    async fn connection(&self, intake: &Intake) -> std::io::Result<()> {
        let (input, output) = TcpStream::connect(self.settings.server).await?.into_split();
        *self.out.lock().await = Some(output);
        self.say(&json!({ "token": *self.token.current() })).await?;
        let mut lines = BufReader::new(input).lines();
        while let Some(line) = lines.next_line().await? {
            let Ok(said) = serde_json::from_str::<Said>(&line) else {
                continue;
            };
            let about = said.id.clone();
            let told = match self.hear(intake, said).await {
                // Its server goes on to repeat what it did not hear of.
                Err(Refusal::Busy | Refusal::NoReplayStore | Refusal::UnderWay) => continue,
                Err(refusal) => json!({ "refused": refusal.code(), "about": about }),
                Ok(fresh) => json!({ "taken": fresh, "about": about }),
            };
            self.say(&told).await?;
        }
        Ok(())
    }

    async fn hear(&self, intake: &Intake, said: Said) -> Result<bool, Refusal> {
        let listens = |name: &String| {
            self.settings
                .routes
                .get(name)
                .is_some_and(|rooms| rooms.contains(&said.room))
        };
        let route = intake.routes().iter().find(|route| listens(&route.name));
        let message = intake.message(Received {
            route: route.ok_or(Refusal::NoRoute)?,
            id: said.id.clone(),
            user: said.user,
            conversation: Some(said.room),
            text: said.text,
        })?;
        // Its server repeats a message under the same id.
        let attempt = Attempt {
            id: said.id,
            keep: REPEATS,
        };
        intake.accept(attempt, message).await
    }

    async fn say(&self, what: &Value) -> std::io::Result<()> {
        let mut out = self.out.lock().await;
        let Some(output) = out.as_mut() else {
            return Err(std::io::ErrorKind::NotConnected.into());
        };
        output.write_all(format!("{what}\n").as_bytes()).await
    }
}

#[async_trait::async_trait]
impl Platform for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn receive(self: Arc<Self>, intake: Intake) -> Receiving {
        Receiving::Dials(Box::pin(async move {
            if let Err(error) = self.connection(&intake).await {
                tracing::info!(error = %error, "the connection broke");
            }
            *self.out.lock().await = None;
        }))
    }

    async fn send(&self, message: &Message, answer: &Result<Answer, Undelivered>) -> Result<(), Unsent> {
        let told = match answer {
            Ok(answer) => json!({ "answer": answer.text, "about": message.id }),
            Err(undelivered) => json!({ "failed": undelivered.code, "about": message.id }),
        };
        self.say(&told)
            .await
            .map_err(|error| Unsent::Later(error.to_string()))
    }

    async fn progress(&self, message: &Message, progress: &Progress) {
        let what = match progress {
            Progress::Text(delta) => json!({ "text": delta.text, "about": message.id }),
            Progress::Call(call) => json!({ "calls": call.tool, "about": message.id }),
            _ => return,
        };
        drop(self.say(&what).await);
    }

    async fn ask(&self, message: &Message, question: &CallDecision) {
        drop(
            self.say(&json!({ "asks": question.call_id, "about": message.id }))
                .await,
        );
    }
}
