//! The compiled policy of one bot: normalised, ordered, digested, free of secrets.

mod encoding;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use encoding::DecodeError;
pub(crate) use encoding::canonical_bytes;

use crate::source::{BotName, Budget, CredentialRef, Delegation, Dimension, Grant, RunnerRef, Tool};

/// The document format this engine writes and the only one that it reads.
pub const FORMAT: u32 = 1;

/// The compiled policy of one bot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Document {
    /// Always [`FORMAT`]; another number is refused.
    pub format: u32,
    /// Whose policy this is.
    pub bot: BotName,
    /// Ordered by name. Bindings without a visible tool are not in it.
    pub bindings: Vec<Binding>,
    /// Ordered by owner and name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<Budget>,
    /// Ordered by bot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegations: Vec<Delegation>,
}

impl Document {
    /// The policy of a bot that may do nothing.
    pub fn empty(bot: BotName) -> Self {
        Self {
            format: FORMAT,
            bot,
            bindings: Vec::new(),
            budgets: Vec::new(),
            delegations: Vec::new(),
        }
    }
}

/// One binding, with only the tools that some grant makes visible.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Binding {
    /// The name of the `BotBinding`.
    pub name: String,
    /// Set where the bot holds two bindings of one type, or the author chose an alias: tools are then called `Prefix__tool`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The name of the `Resource`.
    pub resource: String,
    /// One line about the resource, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name of the `ResourceType`.
    pub resource_type: String,
    /// The name of the executor that carries its calls out.
    pub executor: String,
    /// The resource's settings, for the executor.
    pub config: Value,
    /// Which credential the executor is handed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialRef>,
    /// Which runner executes its calls.
    pub runner: RunnerRef,
    /// The type's dimensions, ordered by name.
    pub dimensions: Vec<Dimension>,
    /// Ordered by name.
    pub tools: Vec<Tool>,
    /// Ordered by content; no two alike.
    pub grants: Vec<Grant>,
}
