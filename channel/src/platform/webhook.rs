//! Signed HTTP requests, as Standard Webhooks describes them; answers in the response, or in requests of ours.
//!
//! A request goes through the same gates each time, and each of them refuses by itself: type and form of the signature → announced
//! size → a share of the budget for unverified bodies → signature over the raw bytes → time window → unpacking → JSON → route, and
//! then the intake. Every attempt of a sender is signed anew (same `webhook-id`, new `webhook-timestamp`).

mod callback;
mod content;
mod endpoint;
mod json;
mod key;
mod refused;
mod route;
mod settings;
mod signature;

use std::sync::Arc;

use monstrum_wire::chat::CallDecision;

use super::{Answer, Means, Platform, Progress, Receiving, Undelivered, Unsent};
use crate::body::Bodies;
use crate::intake::{Intake, Message};
use crate::secret::Secret;
use crate::server::StartError;
use crate::settings::webhook::{Mode, Webhook as Settings};
use crate::settings::{Route, SettingsError};
use callback::Target;
use key::Key;

pub use signature::sign;

/// The platform.
#[derive(Debug)]
pub(super) struct Webhook {
    settings: Settings,
    keys: Arc<Secret<Vec<Key>>>,
    bodies: Bodies,
    target: Option<Target>,
}

impl Webhook {
    pub(super) fn new(settings: Settings, routes: &[Route], means: Means) -> Result<Self, StartError> {
        settings::check(&settings, routes)?;
        let target = Target::of(&settings, means.egress);
        let target = target.map_err(|problem| SettingsError::field("callbackUrl", problem))?;
        Ok(Self {
            keys: Secret::follow(means.secret, key::parse, &means.service)?,
            bodies: Bodies::new(settings::largest_body(&settings)),
            target,
            settings,
        })
    }
}

#[async_trait::async_trait]
impl Platform for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn receive(self: Arc<Self>, intake: Intake) -> Receiving {
        Receiving::Listens(endpoint::router(self, intake))
    }

    fn sends(&self) -> bool {
        self.settings.mode == Mode::Callback
    }

    async fn send(&self, message: &Message, answer: &Result<Answer, Undelivered>) -> Result<(), Unsent> {
        let target = self.target.as_ref();
        let target = target.ok_or_else(|| Unsent::Refused("there is no callbackUrl".to_owned()))?;
        target.post(&self.keys.current(), &message.id, answer).await
    }

    /// A sender gets one answer to its message, and nothing before it.
    async fn progress(&self, _: &Message, _: &Progress) {}

    /// There is nobody whom one could ask: the answer says that the call was refused.
    async fn ask(&self, _: &Message, _: &CallDecision) {}
}
