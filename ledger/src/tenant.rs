//! Whose rows: the keys that every query carries. Each ends in the UID of an object, so that one that comes later under the
//! same name begins with nothing.

use std::fmt;

use monstrum_wire::identity::{BotId, ChannelId, Uid};

/// A bot as a key, `namespace/name/uid`. No part can hold a slash, so that no two bots share a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BotKey(String);

impl BotKey {
    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&BotId> for BotKey {
    fn from(bot: &BotId) -> Self {
        Self(bot.to_string())
    }
}

impl fmt::Display for BotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The prefix of a Workspace's keys.
const WORKSPACE: &str = "workspace/";

/// Whose ids are taken once, and whose use is counted: a bot's, a channel's, or that of all bots of a Workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner(String);

impl Owner {
    /// A Workspace object as owner.
    pub fn workspace(namespace: &str, uid: Uid) -> Self {
        Self(format!("{WORKSPACE}{namespace}/{uid}"))
    }

    /// Whether a key is that of a Workspace.
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

impl From<&ChannelId> for Owner {
    fn from(channel: &ChannelId) -> Self {
        Self(format!("channel/{channel}"))
    }
}

/// Who uses counters: a bot, and the Workspace whose budgets it shares with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spender {
    /// The bot.
    pub bot: BotKey,
    /// Its Workspace; none where the namespace has none.
    pub workspace: Option<Owner>,
}
