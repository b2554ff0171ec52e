//! A counter's key as columns.

use super::super::signed;
use crate::store::{CounterKey, CounterOf, StoreError};
use crate::tenant::{BotKey, Owner};

/// The columns of a counter, of the bot that uses it or of that bot's namespace.
pub(super) struct Columns<'a> {
    pub(super) owner: String,
    pub(super) binding: &'a str,
    pub(super) grant: &'a str,
    pub(super) window: i64,
}

impl<'a> Columns<'a> {
    pub(super) fn new(bot: &BotKey, key: &'a CounterKey) -> Result<Self, StoreError> {
        let (owner, binding, grant) = match &key.of {
            CounterOf::Workspace => (Owner::workspace(bot), "", ""),
            CounterOf::Bot => (Owner::from(bot), "", ""),
            CounterOf::Grant { binding, grant } => (Owner::from(bot), binding.as_str(), grant.as_str()),
        };
        Ok(Self {
            owner: owner.as_str().to_owned(),
            binding,
            grant,
            window: signed(key.window_seconds, "window_seconds")?,
        })
    }
}

/// Whose use a row counts.
pub(super) fn of(owner: &str, binding: String, grant: String) -> CounterOf {
    if Owner::is_workspace(owner) {
        CounterOf::Workspace
    } else if binding.is_empty() {
        CounterOf::Bot
    } else {
        CounterOf::Grant { binding, grant }
    }
}
