//! Limits on everything that a bot does, whatever grant permits it.

use serde::{Deserialize, Serialize};

use super::Counted;

/// A limit on use within a window, of a bot or of its whole workspace. What the field calls a rate is a limit of calls in a
/// short window; what it calls a budget, one of money or tokens in a long one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Budget {
    /// Who has it.
    pub of: BudgetOf,
    /// Unique among those of the same owner.
    pub name: String,
    /// What is counted: calls of tools, or what the model uses.
    pub counts: Counted,
    /// How much of it a window may hold.
    pub limit: u64,
    /// The window's length in seconds; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
}

/// Whose use a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum BudgetOf {
    /// The bot's own.
    Bot,
    /// That of all bots of the namespace together.
    Workspace,
}
