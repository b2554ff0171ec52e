//! What a bot may hand on to another.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{BotName, Dimension, Grant, ResourceType, Tool};

/// A bot-to-bot binding: which bot may be given work, and what of it counts for that bot.
#[derive(Debug, Clone, PartialEq)]
pub struct DelegationSource {
    /// Who may be given work.
    pub to: BotName,
    /// What may be handed on, where an administrator wrote it. Without it, what the bot's own grants permit.
    pub delegable: Option<Vec<DelegableSource>>,
}

/// What may be handed on of one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct DelegableSource {
    /// The name of the `Resource`.
    pub resource: String,
    /// The contract of the integration.
    pub resource_type: Arc<ResourceType>,
    /// Alternatives: a call is covered by one of them that alone covers it.
    pub grants: Vec<Grant>,
}

/// A [`DelegationSource`] in a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Delegation {
    /// Who may be given work.
    pub to: BotName,
    /// What may be handed on, ordered by resource. Absent: what the bot's own grants permit; empty: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegable: Option<Vec<Delegable>>,
}

/// A [`DelegableSource`] in a policy, with only the tools that some grant covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Delegable {
    /// The name of the `Resource`.
    pub resource: String,
    /// The name of the `ResourceType`.
    pub resource_type: String,
    /// The type's dimensions, ordered by name.
    pub dimensions: Vec<Dimension>,
    /// Ordered by name.
    pub tools: Vec<Tool>,
    /// Ordered by content; no two alike.
    pub grants: Vec<Grant>,
}
