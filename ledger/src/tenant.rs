//! Whose rows: the keys that every query carries.

use std::fmt;

use monstrum_wire::identity::BotName;

/// A bot as a key, `namespace/name`. Neither part can hold a slash, so that no two bots share a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BotKey(String);

impl BotKey {
    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        self.0.split_once('/').map_or("", |(namespace, _)| namespace)
    }

    /// A key that the store itself wrote, read back.
    pub(crate) fn stored(key: String) -> Self {
        Self(key)
    }
}

impl From<&BotName> for BotKey {
    fn from(bot: &BotName) -> Self {
        Self(format!("{}/{}", bot.namespace, bot.name))
    }
}

impl fmt::Display for BotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The prefix of a namespace's own keys.
const WORKSPACE: &str = "workspace/";

/// Whose ids are taken once, and whose use is counted: a bot's, a channel's, or that of all bots of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner(String);

impl Owner {
    /// A channel as owner.
    pub fn channel(namespace: &str, name: &str) -> Self {
        Self(format!("channel/{namespace}/{name}"))
    }

    /// The namespace of a bot as owner.
    pub fn workspace(bot: &BotKey) -> Self {
        Self(format!("{WORKSPACE}{}", bot.namespace()))
    }

    /// Whether a key is that of a namespace.
    pub(crate) fn is_workspace(key: &str) -> bool {
        key.starts_with(WORKSPACE)
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&BotKey> for Owner {
    fn from(bot: &BotKey) -> Self {
        Self(format!("bot/{bot}"))
    }
}
