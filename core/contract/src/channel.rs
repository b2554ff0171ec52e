//! The settings of a channel: as the operator writes them, and as the channel's process reads them. No secret is among them.
//!
//! What is the same on every platform is here, and what one platform alone has in a file of its own.

pub mod webhook;

use serde::{Deserialize, Serialize};

pub use webhook::Webhook;

/// What a channel's pods need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings<P = Platform> {
    /// The channel's namespace, for people who read it.
    pub namespace: String,
    /// The channel's name, for people who read it.
    pub name: String,
    /// Changes whenever the secret does, so that the pods do.
    pub secret_version: String,
    /// In the order in which they are tried. Routes to bots that are not there are left out.
    pub routes: Vec<Route>,
    /// Who may talk. Without it, nobody.
    #[serde(default)]
    pub talkers: Talkers,
    /// What its platform alone has.
    pub platform: P,
}

/// A platform's own settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Platform {
    /// Signed HTTP requests.
    Webhook(Webhook),
}

/// A way to one bot. Which messages take it, the platform's settings say, under the route's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// The bot, in the channel's namespace.
    pub bot: String,
    /// Which bot of that name: one that comes later is another.
    pub bot_uid: String,
}

/// Who may talk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Talkers {
    /// Whether everyone may whose message is authentic.
    #[serde(default)]
    pub everyone: bool,
    /// Who may, by id, where not everyone may.
    #[serde(default)]
    pub users: Vec<String>,
}

impl Talkers {
    /// Whether a sender is one of them.
    pub fn may_talk(&self, user: &str) -> bool {
        self.everyone || self.users.iter().any(|known| known == user)
    }
}
