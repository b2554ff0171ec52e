//! What a binding or a role permits.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use monstrum_contract::tool::Risk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::span::Span;
use crate::schema;

/// What is permitted. A call needs one grant that alone covers its operation, its tool and every dimension.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("(has(self.operations) && size(self.operations) > 0) || (has(self.tools) && size(self.tools) > 0)")
    .message("a grant names at least one operation or tool, for example operations: [issue.read]"))]
pub struct Grant {
    /// Operations that are permitted: exact such as `issue.read`, by prefix such as `issue.*`, or `*`.
    /// When tools are named as well, both must cover a call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 128), regex(pattern = schema::OPERATION_PATTERN)))]
    pub operations: Vec<String>,
    /// Tools that are permitted, by name; `*` stands for any characters.
    /// When operations are named as well, both must cover a call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 64), regex(pattern = schema::TOOL_PATTERN)))]
    pub tools: Vec<String>,
    /// Patterns by dimension of the resource type, for example `repository: [acme/web, acme/docs-*]`.
    /// The patterns of one dimension are alternatives; every dimension must match. A dimension that is not
    /// mentioned permits nothing, unless its resource type says otherwise (`whenUnset: Allow`). How patterns are written depends on the
    /// dimension's `match`, see `kubectl explain resourcetype.spec.dimensions.match`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::scope")]
    pub scope: BTreeMap<String, Vec<Value>>,
    /// How much may be used within a window of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub quotas: Vec<Quota>,
    /// When a person must agree before a call is carried out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub approval: Vec<ApprovalRule>,
    /// When the grant holds; absent means always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
}

/// A limit on use.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quota {
    /// A name for it, unique in the grant.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::IDENTIFIER))]
    pub name: String,
    /// What is counted.
    pub counts: Counted,
    /// How much of it a window may hold. Money is in millionths of a US dollar (50000000 for 50 dollars).
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub limit: i64,
    /// The length of the window, for example `1h` or `30d`; absent means for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Span>,
}

/// What a quota counts.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Calls of tools.
    Calls,
    /// Tokens of the model.
    Tokens,
    /// Money, in millionths of a US dollar.
    MicroUsd,
}

/// When a person must agree.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalRule {
    /// For tools of at least this risk; absent means any risk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// For these operations, written as in a grant; empty means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 128), regex(pattern = schema::OPERATION_PATTERN)))]
    pub operations: Vec<String>,
}

/// A span of time, open at either end.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("!has(self.notBefore) || !has(self.notAfter) || self.notBefore < self.notAfter")
    .message("notBefore must be earlier than notAfter"))]
pub struct Validity {
    /// From this instant on (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// Until just before this instant (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
}
