//! What would have had to be granted for a call to be permitted.

use std::collections::BTreeMap;

use monstrum_guardian::decision::{Decision, DimensionTrace, GrantTrace, Reason, Verdict};
use monstrum_guardian::document::Binding;
use monstrum_guardian::source::{Dimension, Match, WhenUnset};
use serde::Serialize;
use serde_json::Value;

use super::bot::BotPolicy;

/// One way to permit the call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Requirement {
    /// Which grant to widen; none for a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grant: Option<String>,
    /// The binding that it belongs to, or a new grant would belong to.
    pub(crate) binding: String,
    /// The operation to add, if it is not covered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
    /// The patterns to add, by dimension; null where the value is not known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) scope: BTreeMap<String, Vec<Value>>,
}

impl Requirement {
    /// In words.
    pub(crate) fn describe(&self) -> String {
        let mut parts = Vec::new();
        if let Some(operation) = &self.operation {
            parts.push(format!("operations: [{operation}]"));
        }
        for (dimension, values) in &self.scope {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            parts.push(format!("scope.{dimension}: [{}]", values.join(", ")));
        }
        let place = match &self.grant {
            Some(grant) => format!("add to grant {grant}"),
            None => format!("a grant in binding {} with", self.binding),
        };
        format!("{place} {}", parts.join(" and "))
    }
}

/// The ways that are closest: fewest changes first. Empty where no grant could help.
pub(crate) fn requirements(policy: &BotPolicy, tool: &str, decision: &Decision) -> Vec<Requirement> {
    let Verdict::Deny(denial) = &decision.verdict else { return Vec::new() };
    match denial.reason {
        Reason::UnknownTool => unseen(policy, tool),
        Reason::OutOfScope => out_of_scope(policy, tool, decision),
        Reason::MalformedArguments
        | Reason::InvalidArguments
        | Reason::NotCanonical
        | Reason::NotValidNow
        | Reason::QuotaExceeded
        | Reason::ApprovalRequired
        | Reason::NoPolicy
        | Reason::Internal => Vec::new(),
    }
}

/// The tool exists in a type that the bot is bound to, and no grant covers it.
fn unseen(policy: &BotPolicy, name: &str) -> Vec<Requirement> {
    let bare = name.split_once("__").map_or(name, |(_, bare)| bare);
    policy
        .source
        .bindings
        .iter()
        .flat_map(|binding| binding.resource_type.tools.iter().map(move |tool| (binding, tool)))
        .filter(|(_, tool)| tool.name == bare || tool.name == name)
        .map(|(binding, tool)| Requirement {
            grant: None,
            binding: binding.name.clone(),
            operation: Some(tool.operation.clone()),
            scope: BTreeMap::new(),
        })
        .collect()
}

fn out_of_scope(policy: &BotPolicy, tool: &str, decision: &Decision) -> Vec<Requirement> {
    let Some((binding, tool)) = policy.tool(tool) else { return Vec::new() };
    let mut found: Vec<Requirement> = decision
        .trace
        .grants
        .iter()
        .filter(|grant| !grant.permits && grant.stopped_by.is_none())
        .map(|grant| Requirement {
            grant: Some(grant.grant.clone()),
            binding: binding.name.clone(),
            operation: (!grant.covers_tool).then(|| tool.operation.clone()),
            scope: missing(binding, grant),
        })
        .filter(|requirement| requirement.operation.is_some() || !requirement.scope.is_empty())
        .collect();
    found.sort_by_key(|requirement| (requirement.operation.is_some(), requirement.scope.len()));
    found
}

/// Values that no pattern of the grant matched, as patterns that would.
fn missing(binding: &Binding, grant: &GrantTrace) -> BTreeMap<String, Vec<Value>> {
    let mut missing: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for trace in grant.dimensions.iter().filter(|trace| trace.matched.is_none()) {
        let Some(dimension) = binding.dimensions.iter().find(|other| other.name == trace.dimension) else { continue };
        if trace.failed.is_empty() && dimension.when_unset == WhenUnset::Allow {
            continue;
        }
        let patterns = missing.entry(trace.dimension.clone()).or_default();
        for value in values(trace).into_iter().filter(|value| !value.is_null()) {
            let pattern = pattern_for(dimension, value);
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
    }
    missing
}

/// A dimension that the grant does not mention carries all values of the call at once.
fn values(trace: &DimensionTrace) -> Vec<&Value> {
    match &trace.value {
        Value::Array(values) if trace.failed.is_empty() => values.iter().collect(),
        value => vec![value],
    }
}

/// A canonical value as the pattern that matches it alone.
fn pattern_for(dimension: &Dimension, value: &Value) -> Value {
    match (&dimension.matching, value) {
        (Match::Command {}, Value::Array(words)) => {
            words.iter().map(|word| quoted(word.as_str().unwrap_or_default())).collect::<Vec<_>>().join(" ").into()
        }
        _ => value.clone(),
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | '@' | '%' | '+' | ',');
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
