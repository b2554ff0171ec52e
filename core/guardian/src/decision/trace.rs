//! How a decision came about, for people.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Name;
use crate::source::{BotName, BudgetOf};

/// How a decision came about: each grant that was looked at, and where it stopped.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// Whose policy.
    #[serde(serialize_with = "shared")]
    pub bot: Option<Arc<BotName>>,
    /// The binding whose tool was called.
    pub binding: Option<Name>,
    /// What went wrong before any grant was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// In the order of the document.
    pub grants: Vec<GrantTrace>,
    /// The budgets that count calls, in the order of the document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetTrace>,
    /// The bots above, root first, when the call was made for another bot.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkTrace>,
}

/// One grant's part in a decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantTrace {
    /// The grant's origin.
    pub grant: String,
    /// Whether it covers the tool and operation.
    pub covers_tool: bool,
    /// Each dimension that applies.
    pub dimensions: Vec<DimensionTrace>,
    /// Whether this grant permits the call.
    pub permits: bool,
    /// What besides dimensions stopped it (validity, quota).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
}

/// One dimension's part in a grant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DimensionTrace {
    /// The dimension.
    pub dimension: String,
    /// The canonical value that was looked at.
    pub value: Value,
    /// The pattern that matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<Value>,
    /// The patterns that did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Value>,
}

/// One budget's part in a decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetTrace {
    /// Who has it.
    pub of: BudgetOf,
    /// Its name there.
    pub budget: String,
    /// How much was used before the call; absent when nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// How much the window may hold.
    pub limit: u64,
    /// What stopped the call, if this budget did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
}

/// The part of a bot above in the decision on a call that was made for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkTrace {
    /// The bot above.
    pub bot: BotName,
    /// Its grant that covers the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Name>,
    /// Whether that grant asks for a person's agreement.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub needs_approval: bool,
    /// What stopped the call, if this bot did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
}

#[expect(clippy::ref_option, reason = "what the derived code passes")]
fn shared<S: Serializer>(bot: &Option<Arc<BotName>>, serializer: S) -> Result<S::Ok, S::Error> {
    bot.as_deref().serialize(serializer)
}
