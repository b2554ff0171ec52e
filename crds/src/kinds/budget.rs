//! Limits on everything that a bot does, and on what all bots of a namespace do together.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::grant::Counted;
use super::span::Span;
use crate::schema;

/// A limit on use within a window of time: a rate, where it is of calls in a short one; a budget, where it is of tokens or money.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("!has(self.window) || self.window.matches('[1-9]')")
    .message("a budget's window is at least a second long, for example 1m or 30d; leave it out for ever"))]
pub struct Budget {
    /// A name for it, unique in the list.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::IDENTIFIER))]
    pub name: String,
    /// What is counted: calls of tools, or what the model uses.
    pub counts: Counted,
    /// How much of it a window may hold. Money is in millionths of a US dollar (50000000 for 50 dollars); 0 permits nothing.
    #[schemars(range(min = 0, max = 1_000_000_000_000_000_i64))]
    pub limit: i64,
    /// The length of the window, which slides, for example `1m` or `30d`; absent means for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Span>,
}
