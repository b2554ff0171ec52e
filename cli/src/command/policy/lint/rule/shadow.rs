//! What another grant or pattern makes superfluous.

use monstrum_guardian::comparison::Work;
use monstrum_guardian::containment::Containment;
use monstrum_guardian::source::{Dimension, Grant};
use serde_json::Value;

use super::Subject;
use super::effect::never;
use crate::command::policy::lint::finding::{Finding, Level};

/// A grant that another one contains, a pattern that another one of the same list contains.
pub(super) fn findings(subject: Subject<'_>, work: &mut Work) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(other) = containing(subject, work) {
        let message = format!(
            "everything that it permits is permitted by {} already",
            other.origin
        );
        findings.push(subject.says(Level::Warning, "redundant-grant", "", message));
    }
    for dimension in &subject.binding.resource_type.dimensions {
        let Some(patterns) = subject.grant.scope.get(&dimension.name) else {
            continue;
        };
        for (place, pattern) in patterns.iter().enumerate() {
            if let Some(other) = shadowing(dimension, patterns, place, work) {
                let field = format!(".scope.{}[{place}]", dimension.name);
                let message = format!("{} {pattern} is within {other} of the same list", dimension.name);
                findings.push(subject.says(Level::Warning, "shadowed-pattern", field, message));
            }
        }
    }
    findings
}

/// Of two grants that say the same, the later one is superfluous.
fn containing<'a>(subject: Subject<'a>, work: &mut Work) -> Option<&'a Grant> {
    let grants = &subject.binding.grants;
    let place = grants
        .iter()
        .position(|grant| std::ptr::eq(grant, subject.grant))?;
    grants.iter().enumerate().find_map(|(other_place, other)| {
        let outer = Subject {
            grant: other,
            ..subject
        };
        let candidate = other_place != place && is_within(subject, outer, work);
        let mutual = candidate && other_place > place && is_within(outer, subject, work);
        (candidate && !mutual).then_some(other)
    })
}

/// Whether one grant is known to permit all that another permits, which must be something.
fn is_within(inner: Subject<'_>, outer: Subject<'_>, work: &mut Work) -> bool {
    let dimensions = &inner.binding.resource_type.dimensions;
    let covered: Vec<&str> = outer.covered().iter().map(|tool| tool.name.as_str()).collect();
    let mut permitting = inner.covered();
    permitting.retain(|tool| never(inner.grant, tool, dimensions).is_none());
    !permitting.is_empty()
        && permitting.iter().all(|tool| {
            covered.contains(&tool.name.as_str())
                && work.within(dimensions, tool, outer.grant, inner.grant).is_ok()
        })
}

/// Of two equal patterns, the later one is superfluous.
fn shadowing<'a>(
    dimension: &Dimension,
    patterns: &'a [Value],
    place: usize,
    work: &mut Work,
) -> Option<&'a Value> {
    let pattern = patterns.get(place)?;
    let mut within = |outer: &Value, inner: &Value| {
        let (outer, inner) = (std::slice::from_ref(outer), std::slice::from_ref(inner));
        work.contains(dimension, outer, inner) == Containment::Contained
    };
    patterns.iter().enumerate().find_map(|(other_place, other)| {
        let candidate = other_place != place && within(other, pattern);
        let mutual = candidate && other_place > place && within(pattern, other);
        (candidate && !mutual).then_some(other)
    })
}
