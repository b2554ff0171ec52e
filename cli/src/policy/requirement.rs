//! The grant that would permit a denied call, and no more than it has to.
//!
//! Advice is a grant of its own, never a pattern added to another one: there it would meet operations and patterns that it was not meant
//! for. Values are written as literals of their dimension's language. Whether the advice holds is asked of the engine, with the grant in its
//! place, and of the boundary; what keeps it from holding is told instead.

mod rule;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use monstrum_crds::validate::beyond_boundary;
use monstrum_guardian::decision::{Call, Decision, GrantTrace, Reason, Verdict};
use monstrum_guardian::source::{
    ApprovalRule, BindingSource, Dimension, Grant, Match, Quota, Tool, WhenUnset,
};
use monstrum_guardian::{covers, exact_pattern};
use serde::Serialize;
use serde_json::{Value, json};

use super::bot::BotPolicy;

/// Where a grant would be that does not exist yet.
const PLACE: &str = "new";

/// A grant that would permit the call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Requirement {
    /// The binding that it would belong to.
    pub(crate) binding: String,
    /// The only operation.
    pub(crate) operation: String,
    /// The only tool.
    pub(crate) tool: String,
    /// The call's own values, by dimension.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) scope: BTreeMap<String, Vec<Value>>,
    /// As in the grant that comes closest, so that advice is no way around it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) approval: Vec<ApprovalRule>,
    /// Likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) quotas: Vec<Value>,
    /// What no grant can hold to the call's own value, so that others are permitted as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) open: Vec<String>,
    /// What stands in the way: with it, the grant does not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hindrance: Option<String>,
}

impl Requirement {
    /// In words.
    pub(crate) fn describe(&self) -> String {
        let mut parts = vec![format!("tools: [{}]", self.tool)];
        for (dimension, values) in &self.scope {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            parts.push(format!("scope.{dimension}: [{}]", values.join(", ")));
        }
        for (field, given) in [("approval", json!(self.approval)), ("quotas", json!(self.quotas))] {
            if given != json!([]) {
                parts.push(format!("{field}: {given}"));
            }
        }
        let grant = format!(
            "a new grant in binding {} with operations: [{}] and {}",
            self.binding,
            self.operation,
            parts.join(" and ")
        );
        match (&self.hindrance, self.open.as_slice()) {
            (Some(hindrance), _) => format!("{grant}: {hindrance}"),
            (None, []) => grant,
            (None, open) => format!("{grant}; it also permits {}", open.join(" and ")),
        }
    }
}

/// The ways to permit a call. Empty where no grant could help.
pub(crate) fn requirements(policy: &BotPolicy, call: &Call<'_>, decision: &Decision) -> Vec<Requirement> {
    let Verdict::Deny(denial) = &decision.verdict else {
        return Vec::new();
    };
    if !matches!(denial.reason, Reason::UnknownTool | Reason::OutOfScope) {
        return Vec::new();
    }
    let bare = call.tool.split_once("__").map_or(call.tool, |(_, bare)| bare);
    let bindings = policy.source.bindings.iter();
    let named = bindings.filter_map(|binding| {
        let mut tools = binding.resource_type.tools.iter();
        let tool = tools.find(|tool| tool.name == bare || tool.name == call.tool)?;
        Some((binding, tool))
    });
    named
        .filter_map(|(binding, tool)| {
            Advice {
                policy,
                binding,
                tool,
                call,
            }
            .given(&decision.trace.grants)
        })
        .collect()
}

/// What a grant for one call is made from.
struct Advice<'a> {
    policy: &'a BotPolicy,
    binding: &'a BindingSource,
    tool: &'a Tool,
    call: &'a Call<'a>,
}

impl Advice<'_> {
    /// Nothing where the call is not one of this binding's.
    fn given(&self, traces: &[GrantTrace]) -> Option<Requirement> {
        let nearest = self.nearest(traces);
        let mut grant = Grant {
            origin: format!("binding/{}#{PLACE}", self.binding.name),
            operations: vec![self.tool.operation.clone()],
            tools: vec![self.tool.name.clone()],
            approval: nearest.map(|grant| grant.approval.clone()).unwrap_or_default(),
            quotas: nearest.map(|grant| grant.quotas.clone()).unwrap_or_default(),
            ..Grant::default()
        };
        // The grant without a scope shows what the call says.
        let trial = self.with(&grant)?;
        let trace = trial
            .trace
            .grants
            .iter()
            .find(|trace| trace.grant == grant.origin)?;
        let mut open = Vec::new();
        let mut hindrance = None;
        for trace in &trace.dimensions {
            let dimension = self.dimension(&trace.dimension)?;
            match self.patterns(dimension, &trace.value) {
                Patterns::These(patterns) => {
                    grant.scope.insert(dimension.name.clone(), patterns);
                }
                Patterns::Any(what) => open.extend(what),
                Patterns::None(why) => {
                    // No patterns match nothing, so that what can't be said is not left open.
                    grant.scope.insert(dimension.name.clone(), Vec::new());
                    hindrance = hindrance.or(Some(why));
                }
                Patterns::Nothing(why) => hindrance = hindrance.or(Some(why)),
            }
            if matches!(dimension.matching, Match::Url {}) {
                open.push(format!("every query of {}", dimension.name));
            }
        }
        let hindrance = hindrance
            .or_else(|| self.beyond(&grant))
            .or_else(|| self.denied(&grant));
        Some(Requirement {
            binding: self.binding.name.clone(),
            operation: self.tool.operation.clone(),
            tool: self.tool.name.clone(),
            scope: grant.scope,
            approval: grant.approval,
            quotas: grant.quotas.iter().map(written).collect(),
            open,
            hindrance,
        })
    }

    /// The grant that covers the tool and fails in the fewest dimensions.
    fn nearest(&self, traces: &[GrantTrace]) -> Option<&Grant> {
        let failing = |grant: &&Grant| {
            let trace = traces.iter().find(|trace| trace.grant == grant.origin);
            trace.map_or(usize::MAX, |trace| {
                let failed = trace
                    .dimensions
                    .iter()
                    .filter(|dimension| dimension.matched.is_none());
                failed.count()
            })
        };
        let covering = self
            .binding
            .grants
            .iter()
            .filter(|grant| covers(grant, self.tool));
        covering.min_by_key(failing)
    }

    fn dimension(&self, name: &str) -> Option<&Dimension> {
        let mut dimensions = self.binding.resource_type.dimensions.iter();
        dimensions.find(|dimension| dimension.name == name)
    }

    fn patterns(&self, dimension: &Dimension, value: &Value) -> Patterns {
        let name = &dimension.name;
        if matches!(dimension.matching, Match::Cel {}) {
            return self.rule(dimension);
        }
        let values = value.as_array().map(Vec::as_slice).unwrap_or_default();
        if values.is_empty() {
            return match dimension.when_unset {
                WhenUnset::Allow => {
                    Patterns::Any(Some(format!("any {name}, of which the call says nothing")))
                }
                WhenUnset::Deny => Patterns::Nothing(format!(
                    "no grant permits a call that says nothing of {name}; give it a value"
                )),
            };
        }
        let mut patterns = Vec::new();
        for value in values {
            match exact_pattern(&dimension.matching, value) {
                Some(pattern) if patterns.contains(&pattern) => {}
                Some(pattern) => patterns.push(pattern),
                None => {
                    return Patterns::None(format!("no pattern of {name} matches {value} and nothing else"));
                }
            }
        }
        Patterns::These(patterns)
    }

    /// Where rules over the whole call bind those grants that there are, a new one must be bound as well: to this very call.
    fn rule(&self, dimension: &Dimension) -> Patterns {
        let mut covering = self
            .binding
            .grants
            .iter()
            .filter(|grant| covers(grant, self.tool));
        let bound = covering.any(|grant| grant.scope.contains_key(&dimension.name));
        if !bound && dimension.when_unset == WhenUnset::Allow {
            return Patterns::Any(None);
        }
        match rule::of_arguments(self.call.arguments) {
            Some(rule) => Patterns::These(vec![rule]),
            None => Patterns::None(format!(
                "a rule of {} would have to hold; write one",
                dimension.name
            )),
        }
    }

    /// What would be decided on the call if the bot had the grant, too.
    fn with(&self, grant: &Grant) -> Option<Decision> {
        let mut source = self.policy.source.clone();
        let mut held = source.bindings.iter_mut();
        let binding = held.find(|held| held.name == self.binding.name)?;
        binding.grants.push(grant.clone());
        let imagined = BotPolicy::compile(source, Arc::clone(&self.policy.world)).ok()?;
        let facts = imagined.fresh_facts(jiff::Timestamp::UNIX_EPOCH);
        Some(imagined.engine.explain(self.call, &facts))
    }

    /// What the boundary of the workspace says to the grant.
    fn beyond(&self, grant: &Grant) -> Option<String> {
        let faults = beyond_boundary(
            &self.binding.resource_type,
            std::slice::from_ref(grant),
            &self.policy.world,
        );
        let fault = faults.into_iter().next()?;
        Some(format!("the boundary stands in the way: {}", fault.message))
    }

    /// Why the call is denied even with the grant.
    fn denied(&self, grant: &Grant) -> Option<String> {
        let Some(decision) = self.with(grant) else {
            return Some("the grant could not be tried".to_owned());
        };
        match decision.verdict {
            Verdict::Allow(_) | Verdict::NeedsApproval(_) => None,
            Verdict::Deny(denial) => Some(format!("even then it is denied: {}", denial.message)),
        }
    }
}

/// What a grant can say of a dimension, to permit the call's values and no others.
enum Patterns {
    These(Vec<Value>),
    /// It must not be mentioned; what that permits besides.
    Any(Option<String>),
    /// What can't be said, and why.
    None(String),
    /// Nothing that helps, and why: the call says nothing of what must be named.
    Nothing(String),
}

/// As it is written in a grant.
fn written(quota: &Quota) -> Value {
    let mut written = json!({"name": quota.name, "counts": quota.counts, "limit": quota.limit});
    if let (Some(seconds), Value::Object(fields)) = (quota.window_seconds, &mut written) {
        fields.insert("window".to_owned(), format!("{seconds}s").into());
    }
    written
}
