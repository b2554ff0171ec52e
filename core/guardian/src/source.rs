//! What a policy is compiled from: one bot, its bindings, and the contracts of the integrations that they name.
//!
//! These are plain data in the words of the custom resources. Nothing here has been judged yet: patterns may be
//! wrong, names may clash. [`crate::compile`] finds out.

mod budget;
mod delegation;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use budget::{Budget, BudgetOf};
pub use delegation::{Delegable, DelegableSource, Delegation, DelegationSource};

/// A bot's identity: its namespace (the workspace) and its name in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BotName {
    /// The Kubernetes namespace.
    pub namespace: String,
    /// The name of the `Bot` object.
    pub name: String,
}

/// One bot with everything that was bound to it.
#[derive(Debug, Clone, PartialEq)]
pub struct BotSource {
    /// Whose policy this becomes.
    pub bot: BotName,
    /// In any order; the compiled policy does not depend on it.
    pub bindings: Vec<BindingSource>,
    /// Limits on what the bot, or its whole workspace, uses.
    pub budgets: Vec<Budget>,
    /// Which bots it may give work to.
    pub delegations: Vec<DelegationSource>,
}

/// A `BotBinding`: one bot's hold on one resource, with the grants of the binding itself and those of the bot's roles that apply to it.
#[derive(Debug, Clone, PartialEq)]
pub struct BindingSource {
    /// The name of the `BotBinding`.
    pub name: String,
    /// The prefix of tool names, when the author chose one.
    pub alias: Option<String>,
    /// The name of the `Resource`.
    pub resource: String,
    /// One line about the resource, for the model.
    pub description: Option<String>,
    /// The contract of the integration.
    pub resource_type: Arc<ResourceType>,
    /// The resource's settings, valid under the type's `config` schema. No secrets.
    pub config: Value,
    /// Which credential the executor is handed, if any.
    pub credential: Option<CredentialRef>,
    /// Which runner executes this binding's calls.
    pub runner: RunnerRef,
    /// Alternatives: a call is permitted by one of them that alone permits it.
    pub grants: Vec<Grant>,
}

/// The declarative contract of an integration (a `ResourceType`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ResourceType {
    /// The name of the object, for example `github`.
    pub name: String,
    /// The name of the executor that runs its tools. The engine knows none of them.
    pub executor: String,
    /// What may be said of a call's arguments.
    pub dimensions: Vec<Dimension>,
    /// What a bot can call.
    pub tools: Vec<Tool>,
}

/// Something about a call that a grant can restrict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dimension {
    /// Unique in its resource type; the key in a grant's scope.
    pub name: String,
    /// How a value is compared with a pattern.
    #[serde(rename = "match")]
    pub matching: Match,
    /// What a grant that does not mention this dimension means.
    #[serde(default)]
    pub when_unset: WhenUnset,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// How a dimension's values are made canonical and compared with patterns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub enum Match {
    /// A string, number or boolean equal to a literal, type-strict.
    Exact {},
    /// Like `Exact`, and every pattern must be one of these values.
    Enum {
        /// The values that exist.
        values: Vec<Value>,
    },
    /// A string against `*` (within a segment) and `**` (across segments).
    Glob {
        /// What ends a segment; without it a value is one segment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        separator: Option<char>,
    },
    /// A file path, lexically normalised, against a glob with `/` as separator.
    Path {},
    /// A host name or IP address against a host glob or a CIDR.
    Host {},
    /// A URL against scheme, host glob, port and path glob.
    Url {},
    /// A command line, taken as one simple command of literal words, against an argv pattern.
    Command {},
    /// A number, duration or byte size against an interval.
    Range {
        /// What the numbers count.
        #[serde(default)]
        unit: Unit,
    },
    /// A string against an anchored, size-limited regular expression.
    Regex {},
    /// The whole call against a boolean CEL expression over `call`, `bot` and `now`.
    Cel {},
}

/// What the values and bounds of a `Range` count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// A plain JSON number.
    #[default]
    Number,
    /// A number of seconds, or a string such as `90s`, `5m`, `1h30m`.
    Duration,
    /// A number of bytes, or a Kubernetes-style quantity such as `64Ki`, `10Mi`, `1G`.
    Bytes,
}

/// What a grant that does not mention a dimension means for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum WhenUnset {
    /// The grant permits no call that the dimension applies to.
    #[default]
    Deny,
    /// The grant does not restrict it.
    Allow,
}

/// One callable tool of an integration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Tool {
    /// For example `github_list_issues`; `[a-zA-Z0-9_-]{1,64}` together with its prefix.
    pub name: String,
    /// What the model is told.
    pub description: String,
    /// Dotted, for example `issue.read`.
    pub operation: String,
    /// A JSON Schema of type `object`; closed: what it does not declare is denied, whether or not it says so.
    pub parameters: Value,
    /// Which part of the arguments feeds which dimension.
    #[serde(default)]
    pub scope: Vec<Feed>,
    /// How much harm it can do, for people and for approval rules.
    #[serde(default)]
    pub risk: Risk,
    /// Whether running it twice is the same as running it once; only then is it repeated after a crash.
    #[serde(default)]
    pub idempotent: bool,
    /// The executor's instructions (for `http`, the request template). Opaque to the engine, part of the digest.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub execution: Value,
}

/// How much harm a tool can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Risk {
    #[default]
    Low,
    Medium,
    High,
}

/// Where a dimension's values come from in a call's arguments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Feed {
    /// Which dimension is fed.
    pub dimension: String,
    /// From which part.
    pub from: FeedFrom,
}

/// Which part of the arguments feeds a dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub enum FeedFrom {
    /// A JSON Pointer (RFC 6901); an array feeds each of its elements. An absent optional argument feeds nothing.
    Pointer(String),
    /// Text with JSON Pointers in braces, for example `{/owner}/{/repo}`. Each part must be a string without the
    /// dimension's separator; a missing part denies.
    Template(String),
}

/// What is permitted. It permits a call when operation, tool and every dimension are covered by this one grant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Grant {
    /// Where it was written, for people: `binding/reader` or `role/triage`, and its place there, for example `binding/reader#0`.
    pub origin: String,
    /// Exact operations, or a prefix such as `issue.*`, or `*`. At least one operation or tool must be named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// Exact tool names or globs. When both are given, both must cover the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Patterns by dimension: alternatives within one, all of them required.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scope: BTreeMap<String, Vec<Value>>,
    /// Limits on use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<Quota>,
    /// When a person must agree first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approval: Vec<ApprovalRule>,
    /// When it holds; always, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
}

/// A limit on use within a window. The engine says what to reserve; the ledger keeps the count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Quota {
    /// Unique in its grant.
    pub name: String,
    /// What is counted.
    pub counts: Counted,
    /// How much of it a window may hold.
    pub limit: u64,
    /// The window's length in seconds; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
}

/// What a quota or a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum Counted {
    /// Calls of tools.
    Calls,
    /// Model tokens.
    Tokens,
    /// Money, in millionths of a US dollar.
    MicroUsd,
}

/// When a call that a grant covers needs a person's agreement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ApprovalRule {
    /// For tools of at least this risk; any risk, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// For these operations (as in a grant); any, if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
}

/// A half-open span of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Validity {
    /// From this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<jiff::Timestamp>,
    /// Until just before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<jiff::Timestamp>,
}

/// Which credential a binding's calls are executed with. Never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CredentialRef {
    /// The name of the `Credential`.
    pub name: String,
    /// The credential method of the resource type, for example `token`.
    pub method: String,
    /// Changes whenever the secret does, so that a rotation is a new policy and old leases are dropped.
    pub version: String,
    /// How the executor presents it. Opaque to the engine.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub presentation: Value,
}

/// Which runner executes a binding's calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunnerRef {
    /// The bot's own runner, which runs no foreign code.
    Bot,
    /// The sandbox of the resource of this name.
    Resource(String),
}
