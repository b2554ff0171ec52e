//! What would have had to be granted for a call to be permitted.

use std::collections::BTreeMap;

use monstrum_guardian::decision::{Call, Decision, DimensionTrace, GrantTrace, Reason, Verdict};
use monstrum_guardian::document::Binding;
use monstrum_guardian::source::{Dimension, Grant, Match, Tool, WhenUnset};
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
    /// The operation to add, if the tool is not covered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
    /// The tool's name to add, if the grant names tools and not this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool: Option<String>,
    /// The patterns to add, by dimension; null where the value is not known. None where the call says nothing of the
    /// dimension, so that no grant that restricts it covers the call.
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
        if let Some(tool) = &self.tool {
            parts.push(format!("tools: [{tool}]"));
        }
        for (dimension, values) in &self.scope {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            parts.push(if values.is_empty() {
                format!("no scope.{dimension}, of which the call says nothing")
            } else {
                format!("scope.{dimension}: [{}]", values.join(", "))
            });
        }
        let place = match &self.grant {
            Some(grant) => format!("grant {grant} with"),
            None => format!("a new grant in binding {} with", self.binding),
        };
        format!("{place} {}", parts.join(" and "))
    }
}

/// The ways that are closest: fewest changes first. Empty where no grant could help.
pub(crate) fn requirements(policy: &BotPolicy, call: &Call<'_>, decision: &Decision) -> Vec<Requirement> {
    let Verdict::Deny(denial) = &decision.verdict else {
        return Vec::new();
    };
    match denial.reason {
        Reason::UnknownTool => unseen(policy, call),
        Reason::OutOfScope => out_of_scope(policy, call, decision),
        Reason::MalformedArguments
        | Reason::InvalidArguments
        | Reason::NotCanonical
        | Reason::NotValidNow
        | Reason::QuotaExceeded
        | Reason::ApprovalRequired
        | Reason::NotDelegated
        | Reason::NoPolicy
        | Reason::Internal => Vec::new(),
    }
}

/// The tool exists in a type that the bot is bound to, and no grant covers it: what if one did?
fn unseen(policy: &BotPolicy, call: &Call<'_>) -> Vec<Requirement> {
    let bare = call.tool.split_once("__").map_or(call.tool, |(_, bare)| bare);
    let mut found = Vec::new();
    for binding in &policy.source.bindings {
        let tool = binding
            .resource_type
            .tools
            .iter()
            .find(|tool| tool.name == bare || tool.name == call.tool);
        let Some(tool) = tool else { continue };
        let origin = format!("binding/{}#new", binding.name);
        let grant = Grant {
            origin,
            operations: vec![tool.operation.clone()],
            ..Grant::default()
        };
        found.push(Requirement {
            grant: None,
            binding: binding.name.clone(),
            operation: Some(tool.operation.clone()),
            tool: None,
            scope: imagined(policy, &binding.name, grant, call),
        });
    }
    found
}

/// The scope that the call would need in this grant, if the bot had it.
fn imagined(
    policy: &BotPolicy,
    binding: &str,
    grant: Grant,
    call: &Call<'_>,
) -> BTreeMap<String, Vec<Value>> {
    let origin = grant.origin.clone();
    let mut source = policy.source.clone();
    for held in source.bindings.iter_mut().filter(|held| held.name == binding) {
        held.grants.retain(|other| other.origin != origin);
        held.grants.push(grant.clone());
    }
    let Ok(imagined) = BotPolicy::compile(source) else {
        return BTreeMap::new();
    };
    let decision = imagined
        .engine
        .explain(call, &imagined.fresh_facts(jiff::Timestamp::UNIX_EPOCH));
    let trace = decision.trace.grants.iter().find(|trace| trace.grant == origin);
    match (imagined.engine.binding(binding), trace) {
        (Some(binding), Some(trace)) => missing(binding, trace),
        _ => BTreeMap::new(),
    }
}

fn out_of_scope(policy: &BotPolicy, call: &Call<'_>, decision: &Decision) -> Vec<Requirement> {
    let Some((binding, tool)) = policy.tool(call.tool) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for trace in decision
        .trace
        .grants
        .iter()
        .filter(|trace| !trace.permits && trace.stopped_by.is_none())
    {
        let Some(grant) = binding.grants.iter().find(|grant| grant.origin == trace.grant) else {
            continue;
        };
        let requirement = if trace.covers_tool {
            let scope = missing(binding, trace);
            Requirement {
                grant: Some(trace.grant.clone()),
                binding: binding.name.clone(),
                operation: None,
                tool: None,
                scope,
            }
        } else {
            extended(policy, binding, tool, grant, call)
        };
        if requirement.operation.is_some() || requirement.tool.is_some() || !requirement.scope.is_empty() {
            found.push(requirement);
        }
    }
    found.sort_by_key(|requirement| {
        (
            requirement.operation.is_some(),
            requirement.tool.is_some(),
            requirement.scope.len(),
        )
    });
    found
}

/// The grant, made to cover the tool.
fn extended(
    policy: &BotPolicy,
    binding: &Binding,
    tool: &Tool,
    grant: &Grant,
    call: &Call<'_>,
) -> Requirement {
    let operation = (!grant.operations.is_empty()).then(|| tool.operation.clone());
    let name = (!grant.tools.is_empty()).then(|| tool.name.clone());
    let mut imagined_grant = grant.clone();
    imagined_grant.operations.extend(operation.clone());
    imagined_grant.tools.extend(name.clone());
    let scope = imagined(policy, &binding.name, imagined_grant, call);
    Requirement {
        grant: Some(grant.origin.clone()),
        binding: binding.name.clone(),
        operation,
        tool: name,
        scope,
    }
}

/// Values that no pattern of the grant matched, as patterns that would.
fn missing(binding: &Binding, grant: &GrantTrace) -> BTreeMap<String, Vec<Value>> {
    let mut missing: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for trace in grant.dimensions.iter().filter(|trace| trace.matched.is_none()) {
        let Some(dimension) = binding
            .dimensions
            .iter()
            .find(|other| other.name == trace.dimension)
        else {
            continue;
        };
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
        (Match::Command {}, Value::Array(words)) => words
            .iter()
            .map(|word| quoted(word.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(" ")
            .into(),
        _ => value.clone(),
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | '@' | '%' | '+' | ',')
    };
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
