//! Whether a new policy can permit something that the old one does not.
//!
//! A new grant is harmless where one old grant permits everything that it permits, which the engine decides. Quotas and approval rules
//! are compared as they are written. So the answer "nothing is widened" is always right, "this may be widened" is not always.

use std::collections::BTreeSet;

use monstrum_guardian::containment::{Outside, beyond};
use monstrum_guardian::document::{Binding, Document};
use monstrum_guardian::source::{Dimension, Grant, Match, Quota, Tool, Validity};
use serde_json::Value;

use super::bot::seen_name;
use super::example::calls;
use super::granting::covered_tools;

/// A grant that may permit calls of a tool which were not permitted before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Widening {
    /// The tool, as the bot sees it.
    pub(crate) tool: String,
    /// The grant's origin.
    pub(crate) grant: String,
    /// Why it is not known to be harmless.
    pub(crate) why: String,
}

/// Everything that `new` may permit beyond `old`.
pub(crate) fn widenings(old: &Document, new: &Document) -> Vec<Widening> {
    let mut widenings = Vec::new();
    for binding in &new.bindings {
        for grant in &binding.grants {
            for name in covered_tools(new, binding, grant) {
                let Some(tool) = binding.tools.iter().find(|tool| seen_name(binding, tool) == name) else {
                    continue;
                };
                if let Err(why) = proven(old, binding, tool, &name, grant) {
                    widenings.push(Widening {
                        tool: name,
                        grant: grant.origin.clone(),
                        why,
                    });
                }
            }
        }
    }
    widenings
}

/// Whether some old grant covers all that this one permits of the tool.
fn proven(old: &Document, binding: &Binding, tool: &Tool, name: &str, grant: &Grant) -> Result<(), String> {
    let Some((before, same)) = old.bindings.iter().find_map(|before| {
        let same = before
            .tools
            .iter()
            .find(|other| seen_name(before, other) == name)?;
        Some((before, same))
    }) else {
        return Err("the tool was not visible before".to_owned());
    };
    unchanged(before, binding)?;
    if same.parameters != tool.parameters
        || same.scope != tool.scope
        || same.operation != tool.operation
        || same.risk != tool.risk
    {
        return Err("the tool's parameters, scope, operation or risk changed".to_owned());
    }
    if same.execution != tool.execution {
        return Err("what the tool does changed: its request is another".to_owned());
    }
    let mut reasons: BTreeSet<String> = BTreeSet::new();
    for old_grant in &before.grants {
        if !covered_tools(old, before, old_grant).contains(name) {
            continue;
        }
        match within(grant, old_grant, &binding.dimensions, tool) {
            Ok(()) => return Ok(()),
            Err(why) => reasons.insert(format!("{}: {why}", old_grant.origin)),
        };
    }
    let reasons: Vec<String> = reasons.into_iter().collect();
    Err(format!(
        "no grant from before is known to cover it ({})",
        reasons.join("; ")
    ))
}

/// The same words on another target are another permission.
fn unchanged(old: &Binding, new: &Binding) -> Result<(), String> {
    let differences = [
        ("resource", old.resource != new.resource),
        ("resource type", old.resource_type != new.resource_type),
        ("executor", old.executor != new.executor),
        ("resource's config", old.config != new.config),
        ("runner", old.runner != new.runner),
        ("dimensions", old.dimensions != new.dimensions),
        ("credential", credential(old) != credential(new)),
    ];
    match differences.iter().find(|(_, differs)| *differs) {
        Some((what, _)) => Err(format!("the {what} of the binding changed")),
        None => Ok(()),
    }
}

/// A rotation is no widening: the version does not count.
fn credential(binding: &Binding) -> Option<(&str, &str, &Value)> {
    let credential = binding.credential.as_ref()?;
    Some((&credential.name, &credential.method, &credential.presentation))
}

/// Whether `old` is known to permit everything that `new` permits of the tool; else why not.
pub(crate) fn within(new: &Grant, old: &Grant, dimensions: &[Dimension], tool: &Tool) -> Result<(), String> {
    if let Some(excess) = beyond(dimensions, tool, old, new) {
        return Err(excess.to_string());
    }
    for quota in &old.quotas {
        if !new.quotas.iter().any(|other| quota_within(other, quota)) {
            return Err(format!("its quota {} is not kept", quota.name));
        }
    }
    if !old.approval.iter().all(|rule| new.approval.contains(rule)) {
        return Err("its approval rules are not kept".to_owned());
    }
    validity_within(new.validity.as_ref(), old.validity.as_ref())
}

/// Calls of a tool that the grant may permit, and that at least one of the old grants of it does not.
pub(crate) fn exceeding_calls(old: &Document, binding: &Binding, tool: &Tool, grant: &Grant) -> Vec<Value> {
    let before = old.bindings.iter().flat_map(|binding| &binding.grants);
    let excesses = before.filter_map(|before| beyond(&binding.dimensions, tool, before, grant));
    let mut found = Vec::new();
    for excess in excesses {
        let Outside::Value(value) = excess.outside else {
            continue;
        };
        let mut pointed = grant.clone();
        pointed.scope.insert(excess.dimension, vec![value]);
        found.extend(calls(binding, tool, &pointed));
    }
    found
}

fn quota_within(new: &Quota, old: &Quota) -> bool {
    new.name == old.name
        && new.counts == old.counts
        && new.window_seconds == old.window_seconds
        && new.limit <= old.limit
}

fn validity_within(new: Option<&Validity>, old: Option<&Validity>) -> Result<(), String> {
    let Some(old) = old else { return Ok(()) };
    let new = new.cloned().unwrap_or(Validity {
        not_before: None,
        not_after: None,
    });
    let starts = old
        .not_before
        .is_none_or(|old| new.not_before.is_some_and(|new| new >= old));
    let ends = old
        .not_after
        .is_none_or(|old| new.not_after.is_some_and(|new| new <= old));
    if starts && ends {
        Ok(())
    } else {
        Err("its validity is exceeded".to_owned())
    }
}

/// Whether the dimension says anything about calls of the tool: it is fed by it, or a rule over the whole call.
pub(crate) fn applies(tool: &Tool, dimension: &Dimension) -> bool {
    dimension.matching == Match::Cel {} || tool.scope.iter().any(|feed| feed.dimension == dimension.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_guardian::source::Risk;
    use rstest::rstest;
    use serde_json::json;

    fn grant(text: Value) -> Grant {
        let mut text = text;
        text["origin"] = json!("binding/a#0");
        text["operations"] = json!(["issue.write"]);
        serde_json::from_value(text).unwrap()
    }

    fn dimensions() -> Vec<Dimension> {
        serde_json::from_value(json!([
            {"name": "project", "match": {"glob": {"separator": "/"}}},
            {"name": "label", "match": {"glob": {}}, "whenUnset": "Allow"},
            {"name": "path", "match": {"path": {}}}
        ]))
        .unwrap()
    }

    fn tool() -> Tool {
        let feeds = json!([
            {"dimension": "project", "from": {"pointer": "/project"}},
            {"dimension": "label", "from": {"pointer": "/label"}}
        ]);
        Tool {
            name: "create".to_owned(),
            description: String::new(),
            operation: "issue.write".to_owned(),
            parameters: json!({"type": "object"}),
            scope: serde_json::from_value(feeds).unwrap(),
            risk: Risk::Low,
            idempotent: false,
            execution: Value::Null,
        }
    }

    fn known(old: Value, new: Value) -> bool {
        within(&grant(new), &grant(old), &dimensions(), &tool()).is_ok()
    }

    fn any() -> Value {
        json!({"scope": {"project": ["acme/*"]}})
    }

    fn quota(limit: u64) -> Value {
        json!([{"name": "daily", "counts": "Calls", "limit": limit, "windowSeconds": 86_400}])
    }

    #[rstest]
    #[case::the_same(any())]
    #[case::a_narrower_pattern(json!({"scope": {"project": ["acme/web", "acme/docs-*"]}}))]
    #[case::one_more_dimension(json!({"scope": {"project": ["acme/*"], "label": ["bug"]}}))]
    #[case::a_quota(json!({"scope": {"project": ["acme/*"]}, "quotas": quota(5)}))]
    #[case::an_approval(json!({"scope": {"project": ["acme/*"]}, "approval": [{}]}))]
    #[case::an_end(json!({"scope": {"project": ["acme/*"]}, "validity": {"notAfter": "2030-01-01T00:00:00Z"}}))]
    #[case::a_restriction_that_no_call_meets(json!({"scope": {"project": ["acme/*"], "path": ["x"]}}))]
    fn narrower_is_known(#[case] new: Value) {
        assert!(known(any(), new));
    }

    #[rstest]
    #[case::a_wider_pattern(any(), json!({"scope": {"project": ["acme/**"]}}))]
    #[case::another_pattern(any(), json!({"scope": {"project": ["acme/web", "evil/web"]}}))]
    #[case::one_dimension_less(json!({"scope": {"project": ["acme/*"], "label": ["bug"]}}), any())]
    #[case::a_quota_less(json!({"scope": {"project": ["acme/*"]}, "quotas": quota(5)}), any())]
    #[case::a_larger_quota(
        json!({"scope": {"project": ["acme/*"]}, "quotas": quota(5)}),
        json!({"scope": {"project": ["acme/*"]}, "quotas": quota(6)})
    )]
    #[case::no_approval(json!({"scope": {"project": ["acme/*"]}, "approval": [{}]}), any())]
    #[case::no_end(json!({"scope": {"project": ["acme/*"]}, "validity": {"notAfter": "2030-01-01T00:00:00Z"}}), any())]
    #[case::a_later_end(
        json!({"scope": {"project": ["acme/*"]}, "validity": {"notAfter": "2030-01-01T00:00:00Z"}}),
        json!({"scope": {"project": ["acme/*"]}, "validity": {"notAfter": "2031-01-01T00:00:00Z"}})
    )]
    #[case::a_restriction_that_no_call_met(json!({"scope": {"project": ["acme/*"], "path": ["x"]}}), any())]
    #[case::a_dimension_that_had_to_be_named(json!({}), any())]
    fn wider_is_not(#[case] old: Value, #[case] new: Value) {
        assert!(!known(old, new));
    }
}
