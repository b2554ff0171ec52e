//! Grants without effect.

use monstrum_guardian::containment::{Containment, contains};
use monstrum_guardian::exact_pattern;
use monstrum_guardian::source::{Dimension, FeedFrom, Grant, Tool, WhenUnset};
use serde_json::Value;

use super::Subject;
use crate::command::policy::lint::finding::{Finding, Level};
use crate::policy::applies;

/// A grant that covers no tool, or that covers one and can never permit a call of it.
pub(super) fn findings(subject: Subject<'_>) -> Vec<Finding> {
    let covered = subject.covered();
    if covered.is_empty() {
        let message = format!(
            "it covers no tool of resource type {}: no operation or tool name fits",
            subject.binding.resource_type.name
        );
        return vec![subject.says(Level::Warning, "dead-grant", "", message)];
    }
    let never = covered.iter().filter_map(|tool| {
        Some((
            tool,
            never(subject.grant, tool, &subject.binding.resource_type.dimensions)?,
        ))
    });
    let mut findings: Vec<Finding> = never
        .map(|(tool, why)| {
            let message = format!("it shows {} and never permits it: {why}", tool.name);
            subject.says(Level::Warning, "never-permits", ".scope", message)
        })
        .collect();
    let end = subject
        .grant
        .validity
        .as_ref()
        .and_then(|validity| validity.not_after);
    if let Some(end) = end.filter(|end| *end <= jiff::Timestamp::now()) {
        let message = format!("it held until {end} and permits nothing any more");
        findings.push(subject.says(Level::Note, "expired-grant", ".validity", message));
    }
    findings
}

/// Why no call of the tool can be permitted by the grant.
pub(super) fn never(grant: &Grant, tool: &Tool, dimensions: &[Dimension]) -> Option<String> {
    dimensions.iter().find_map(|dimension| {
        let name = &dimension.name;
        match (grant.scope.contains_key(name), applies(tool, dimension)) {
            (false, true) if dimension.when_unset == WhenUnset::Deny => {
                Some(format!("its scope says nothing of {name}"))
            }
            (true, false) => Some(format!(
                "its scope restricts {name}, which calls of this tool say nothing of"
            )),
            (true, true) => unmatched(grant.scope.get(name)?, tool, dimension),
            (false, _) => None,
        }
    })
}

/// Why none of the few values that a parameter can have is matched, where it alone feeds the dimension.
fn unmatched(patterns: &[Value], tool: &Tool, dimension: &Dimension) -> Option<String> {
    let mut feeds = tool.scope.iter().filter(|feed| feed.dimension == dimension.name);
    let (Some(feed), None) = (feeds.next(), feeds.next()) else {
        return None;
    };
    let FeedFrom::Pointer(pointer) = &feed.from else {
        return None;
    };
    let values = listed(&tool.parameters, pointer)?;
    let is_beyond = |value: &Value| {
        exact_pattern(&dimension.matching, value).is_some_and(|literal| {
            let answer = contains(&dimension.matching, patterns, std::slice::from_ref(&literal));
            matches!(answer, Containment::Exceeds { .. })
        })
    };
    (!values.is_empty() && values.iter().all(is_beyond)).then(|| {
        format!(
            "its scope has no {} that the parameter {pointer} can have, which is one of {}",
            dimension.name,
            Value::from(values)
        )
    })
}

/// The values that a schema lists for what stands at a pointer, or for the items of a list there.
fn listed(schema: &Value, pointer: &str) -> Option<Vec<Value>> {
    let tokens = pointer.split('/').skip(1);
    let found = tokens
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .try_fold(schema, |schema, token| schema.get("properties")?.get(token))?;
    let of = |schema: &Value| match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(values)), _) => Some(values.clone()),
        (_, Some(value)) => Some(vec![value.clone()]),
        _ => None,
    };
    of(found).or_else(|| of(found.get("items")?))
}
