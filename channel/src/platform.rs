//! What differs from one chat platform to another. One folder each; `docs/recipes/adding-a-channel.md` says how to add one.

mod webhook;

use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use monstrum_egress::Egress;
use monstrum_service::Service;
use monstrum_wire::chat::CallDecision;

use crate::intake::{Intake, Message};
use crate::server::StartError;
use crate::settings::{self, Settings};
use webhook::Webhook;

pub use crate::delivery::{Answer, Undelivered};
/// A step of a turn: it waits, began, wrote text, wants a call, had it decided, got its result.
pub use monstrum_wire::chat::turn_event::Event as Progress;
pub use webhook::sign;

/// A chat platform.
#[async_trait::async_trait]
pub trait Platform: Send + Sync + 'static {
    /// Its name, as settings have it. Ids and messages are kept under it, so that it never changes.
    fn name(&self) -> &'static str;

    /// How its messages come in. It verifies each of them, says which route fits, and hands it to the intake. Asked again whenever a
    /// connection has ended.
    fn receive(self: Arc<Self>, intake: Intake) -> Receiving;

    /// Whether answers are sent by [`Platform::send`]; not where each is the response to its request.
    fn sends(&self) -> bool {
        true
    }

    /// Sends the answer to a message, or why there is none. Called again for what may pass, for a minute; by another process if this
    /// one ends, so that the message's own id says where the answer belongs.
    async fn send(&self, message: &Message, answer: &Result<Answer, Undelivered>) -> Result<(), Unsent>;

    /// Shows what happens while a message is being answered. Nobody waits for it: of a platform that is slower than the turn, steps are
    /// left out. A delivery that broke off is made again, and begins with `Started`.
    async fn progress(&self, message: &Message, progress: &Progress);

    /// Tells people that a call waits for their approval. What they say to it is no message: a decision is made where decisions
    /// are made, and no text is one.
    async fn ask(&self, message: &Message, question: &CallDecision);
}

/// How messages come in.
pub enum Receiving {
    /// The platform calls: requests to the channel's port.
    Listens(axum::Router),
    /// The channel dials: until this connection ends.
    Dials(BoxFuture<'static, ()>),
}

/// Why an answer was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// It may work later.
    #[error("{0}")]
    Later(String),
    /// It will not.
    #[error("{0}")]
    Refused(String),
}

/// What a platform is made with, besides its settings.
#[derive(Debug)]
pub struct Means {
    /// The file with its secret.
    pub secret: PathBuf,
    /// How it reaches what administrators name.
    pub egress: Egress,
    /// The process.
    pub service: Service,
}

/// The platform of these settings.
pub(crate) fn of(settings: &Settings, means: Means) -> Result<Arc<dyn Platform>, StartError> {
    match &settings.platform {
        settings::Platform::Webhook(webhook) => {
            Ok(Arc::new(Webhook::new(webhook.clone(), &settings.routes, means)?))
        }
    }
}
