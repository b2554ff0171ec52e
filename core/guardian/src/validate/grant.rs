//! What is wrong with grants.

mod unmatched;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::expression::Allowance;
use crate::fault::FieldFault;
use crate::matching::{Pattern, Rule};
use crate::selector;
use crate::source::{Grant, Match, Quota, ResourceType};

/// What is wrong with grants under their resource type, ordered by field. Fields begin with `grants[i]`.
pub fn validate_grants(resource_type: &ResourceType, grants: &[Grant]) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let mut counters: BTreeMap<(&str, &str), &Quota> = BTreeMap::new();
    let mut allowance = Allowance::default();
    for (place, grant) in grants.iter().enumerate() {
        let field = format!("grants[{place}]");
        check_selection(grant, resource_type, &field, &mut faults);
        check_scope(grant, resource_type, &field, &mut allowance, &mut faults);
        check_quotas(grant, &field, &mut faults);
        check_approval(grant, resource_type, &field, &mut faults);
        check_validity(grant, &field, &mut faults);
        for (number, quota) in grant.quotas.iter().enumerate() {
            let known = counters.insert((&grant.origin, &quota.name), quota);
            if known.is_some_and(|known| known != quota) {
                let message = format!(
                    "quota {} of {} is also another quota; rename one",
                    quota.name, grant.origin
                );
                faults.push(FieldFault::new(format!("{field}.quotas[{number}].name"), message));
            }
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

fn check_selection(grant: &Grant, resource_type: &ResourceType, field: &str, faults: &mut Vec<FieldFault>) {
    if grant.operations.is_empty() && grant.tools.is_empty() {
        faults.push(FieldFault::new(
            field,
            "the grant names neither operations nor tools and permits nothing; name some",
        ));
        return;
    }
    let tools = &resource_type.tools;
    let before = faults.len();
    for (place, pattern) in grant.operations.iter().enumerate() {
        let unknown = || {
            let used = tools
                .iter()
                .any(|tool| selector::names_operation(pattern, &tool.operation));
            (!used).then(|| {
                format!(
                    "{pattern} is no operation of {}; it has {}",
                    resource_type.name,
                    operations(resource_type)
                )
            })
        };
        if let Some(message) = selector::operation_pattern_fault(pattern).or_else(unknown) {
            faults.push(FieldFault::new(format!("{field}.operations[{place}]"), message));
        }
    }
    for (place, pattern) in grant.tools.iter().enumerate() {
        let unknown = || {
            let used = tools.iter().any(|tool| selector::names_tool(pattern, &tool.name));
            (!used).then(|| format!("{pattern} is no tool of {}; correct the name", resource_type.name))
        };
        if let Some(message) = selector::tool_pattern_fault(pattern).or_else(unknown) {
            faults.push(FieldFault::new(format!("{field}.tools[{place}]"), message));
        }
    }
    if faults.len() == before && !tools.iter().any(|tool| selector::covers(grant, tool)) {
        faults.push(FieldFault::new(
            field,
            "no tool is covered by both operations and tools; name one that is",
        ));
    }
}

fn operations(resource_type: &ResourceType) -> String {
    let known: BTreeSet<_> = resource_type
        .tools
        .iter()
        .map(|tool| tool.operation.as_str())
        .collect();
    let mut text = known.iter().take(20).copied().collect::<Vec<_>>().join(", ");
    if known.len() > 20 {
        text.push_str(", …");
    }
    text
}

fn check_scope(
    grant: &Grant,
    resource_type: &ResourceType,
    field: &str,
    allowance: &mut Allowance,
    faults: &mut Vec<FieldFault>,
) {
    let dimensions = &resource_type.dimensions;
    for (name, patterns) in &grant.scope {
        let field = format!("{field}.scope.{name}");
        let Some(dimension) = dimensions.iter().find(|dimension| dimension.name == *name) else {
            let known: Vec<_> = dimensions
                .iter()
                .map(|dimension| dimension.name.as_str())
                .collect();
            let message = format!(
                "there is no dimension {name}; the resource type has {}",
                listed(&known)
            );
            faults.push(FieldFault::new(field, message));
            continue;
        };
        if patterns.is_empty() {
            faults.push(FieldFault::new(
                field.clone(),
                "there is no pattern, which permits nothing; add one or remove the dimension",
            ));
        }
        for (place, pattern) in patterns.iter().enumerate() {
            let fault = compile(&dimension.matching, pattern, allowance).err();
            let fault = fault.or_else(|| unmatched::fault(grant, resource_type, dimension, pattern));
            if let Some(message) = fault {
                faults.push(FieldFault::new(format!("{field}[{place}]"), message));
            }
        }
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn compile(matching: &Match, pattern: &Value, allowance: &mut Allowance) -> Result<(), String> {
    match (matching, pattern) {
        (Match::Cel {}, _) => Rule::compile(pattern).map(|_| ()),
        (Match::Regex {}, Value::String(text)) => {
            Pattern::compile(matching, pattern)?;
            allowance.expression(text)
        }
        _ => Pattern::compile(matching, pattern).map(|_| ()),
    }
}

fn check_quotas(grant: &Grant, field: &str, faults: &mut Vec<FieldFault>) {
    let mut names = BTreeSet::new();
    for (place, quota) in grant.quotas.iter().enumerate() {
        let field = format!("{field}.quotas[{place}]");
        if quota.name.is_empty() {
            faults.push(FieldFault::new(
                format!("{field}.name"),
                "the quota has no name; give it one",
            ));
        }
        if !names.insert(&quota.name) {
            faults.push(FieldFault::new(
                format!("{field}.name"),
                format!("{} is declared twice; rename one", quota.name),
            ));
        }
        if quota.limit == 0 {
            faults.push(FieldFault::new(
                format!("{field}.limit"),
                "a limit of 0 permits nothing; remove the grant instead",
            ));
        }
        if quota.window_seconds == Some(0) {
            faults.push(FieldFault::new(
                format!("{field}.windowSeconds"),
                "a window of 0 seconds holds nothing; make it longer or remove it",
            ));
        }
    }
}

/// A rule that can never ask would be a guard that is not there.
fn check_approval(grant: &Grant, resource_type: &ResourceType, field: &str, faults: &mut Vec<FieldFault>) {
    for (place, rule) in grant.approval.iter().enumerate() {
        for (number, pattern) in rule.operations.iter().enumerate() {
            let used = resource_type
                .tools
                .iter()
                .any(|tool| selector::names_operation(pattern, &tool.operation));
            let unknown = || {
                (!used).then(|| format!("{pattern} is no operation of {}; correct it", resource_type.name))
            };
            if let Some(message) = selector::operation_pattern_fault(pattern).or_else(unknown) {
                faults.push(FieldFault::new(
                    format!("{field}.approval[{place}].operations[{number}]"),
                    message,
                ));
            }
        }
    }
}

fn check_validity(grant: &Grant, field: &str, faults: &mut Vec<FieldFault>) {
    let Some(validity) = &grant.validity else { return };
    if let (Some(start), Some(end)) = (validity.not_before, validity.not_after)
        && start >= end
    {
        faults.push(FieldFault::new(
            format!("{field}.validity"),
            "notAfter is not later than notBefore; the grant would never hold",
        ));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn resource_type() -> ResourceType {
        serde_json::from_value(json!({
            "name": "github", "executor": "http",
            "dimensions": [
                {"name": "repository", "match": {"glob": {"separator": "/"}}},
                {"name": "state", "match": {"enum": {"values": ["open", "closed"]}}},
                {"name": "rule", "match": {"cel": {}}, "whenUnset": "Allow"}
            ],
            "tools": [
                {"name": "list", "description": "", "operation": "issue.read", "parameters": {"type": "object"}},
                {"name": "make", "description": "", "operation": "issue.create", "parameters": {"type": "object"}}
            ]
        }))
        .unwrap()
    }

    #[rstest]
    #[case::nothing_named(json!({}), "grants[0]", "neither operations nor tools")]
    #[case::unknown_operation(json!({"operations": ["issue.delete"]}), "grants[0].operations[0]", "issue.create, issue.read")]
    #[case::unknown_prefix(json!({"operations": ["issue.read", "pull.*"]}), "grants[0].operations[1]", "no operation")]
    #[case::operation_form(json!({"operations": ["issue*"]}), "grants[0].operations[0]", "nor a prefix")]
    #[case::unknown_tool(json!({"tools": ["lisst"]}), "grants[0].tools[0]", "no tool")]
    #[case::tool_form(json!({"tools": ["a b"]}), "grants[0].tools[0]", "neither a tool name")]
    #[case::nothing_covered(json!({"operations": ["issue.read"], "tools": ["make"]}), "grants[0]", "both")]
    #[case::unknown_dimension(
        json!({"tools": ["*"], "scope": {"repo": ["a/b"]}}),
        "grants[0].scope.repo",
        "repository, state, rule"
    )]
    #[case::no_pattern(json!({"tools": ["*"], "scope": {"repository": []}}), "grants[0].scope.repository", "permits nothing")]
    #[case::bad_pattern(
        json!({"tools": ["*"], "scope": {"repository": ["a/b", "a/{b,c}"]}}),
        "grants[0].scope.repository[1]",
        "not a wildcard"
    )]
    #[case::typed_pattern(json!({"tools": ["*"], "scope": {"repository": [1]}}), "grants[0].scope.repository[0]", "not a string")]
    #[case::foreign_value(json!({"tools": ["*"], "scope": {"state": ["opened"]}}), "grants[0].scope.state[0]", "none of")]
    #[case::bad_rule(json!({"tools": ["*"], "scope": {"rule": ["call.x =="]}}), "grants[0].scope.rule[0]", "")]
    #[case::quota_twice(
        json!({"tools": ["*"], "quotas": [{"name": "q", "counts": "Calls", "limit": 1}, {"name": "q", "counts": "Calls", "limit": 1}]}),
        "grants[0].quotas[1].name",
        "twice"
    )]
    #[case::quota_zero(json!({"tools": ["*"], "quotas": [{"name": "q", "counts": "Calls", "limit": 0}]}), "grants[0].quotas[0].limit", "0")]
    #[case::approval(json!({"tools": ["*"], "approval": [{"operations": ["issue.dlete"]}]}), "grants[0].approval[0].operations[0]", "no operation")]
    #[case::validity(
        json!({"tools": ["*"], "validity": {"notBefore": "2026-01-02T00:00:00Z", "notAfter": "2026-01-01T00:00:00Z"}}),
        "grants[0].validity",
        "never hold"
    )]
    fn finds(#[case] grant: Value, #[case] field: &str, #[case] reason: &str) {
        let mut grant = grant;
        grant["origin"] = json!("binding/b#0");
        let grants = [serde_json::from_value(grant).unwrap()];
        let faults = validate_grants(&resource_type(), &grants);
        assert!(
            faults
                .iter()
                .any(|fault| fault.field == field && fault.message.contains(reason)),
            "{faults:?}"
        );
    }

    #[test]
    fn a_good_grant_has_no_faults() {
        let grant = serde_json::from_value(json!({
            "origin": "binding/b#0", "operations": ["issue.*"], "tools": ["l*"],
            "scope": {"repository": ["acme/*"], "state": ["open"], "rule": ["call.tool == 'list'"]},
            "quotas": [{"name": "daily", "counts": "Calls", "limit": 10, "windowSeconds": 86400}],
            "approval": [{"risk": "High"}, {"operations": ["issue.create"]}]
        }))
        .unwrap();
        assert_eq!(validate_grants(&resource_type(), &[grant]), []);
    }

    #[test]
    fn two_grants_do_not_share_a_counter() {
        let grant = |limit: u64| -> Grant {
            serde_json::from_value(json!({
                "origin": "binding/b#0", "tools": ["*"], "quotas": [{"name": "q", "counts": "Calls", "limit": limit}]
            }))
            .unwrap()
        };
        assert_eq!(validate_grants(&resource_type(), &[grant(1), grant(1)]), []);
        assert_eq!(
            validate_grants(&resource_type(), &[grant(1), grant(2)])[0].field,
            "grants[1].quotas[0].name"
        );
    }
}
