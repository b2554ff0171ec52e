//! Grants that leave more open than anyone would write on purpose.

use monstrum_guardian::source::WhenUnset;

use super::Subject;
use crate::command::policy::lint::finding::{Finding, Level};
use crate::policy::is_universal;

/// Names and patterns that fit everything, and dimensions that are left open.
pub(super) fn findings(subject: Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let grant = subject.grant;
    if grant.operations.iter().any(|operation| operation == "*") {
        let message =
            "operations * takes in every operation that the type will ever have; name them".to_owned();
        findings.push(subject.says(Level::Warning, "wide-operations", ".operations", message));
    }
    if grant.operations.is_empty() && grant.tools.iter().any(|tool| tool == "*") {
        let message = "tools * takes in every tool that the type will ever have; name them".to_owned();
        findings.push(subject.says(Level::Warning, "wide-tools", ".tools", message));
    }
    let covered = subject.covered();
    for dimension in &subject.binding.resource_type.dimensions {
        let fed = covered
            .iter()
            .any(|tool| tool.scope.iter().any(|feed| feed.dimension == dimension.name));
        match grant.scope.get(&dimension.name) {
            Some(patterns) => {
                let wide = patterns
                    .iter()
                    .enumerate()
                    .filter(|(_, pattern)| is_universal(dimension, pattern));
                findings.extend(wide.map(|(place, pattern)| {
                    let field = format!(".scope.{}[{place}]", dimension.name);
                    let message = format!("{} {pattern} matches anything", dimension.name);
                    subject.says(Level::Warning, "wide-pattern", field, message)
                }));
            }
            None if fed && dimension.when_unset == WhenUnset::Allow => {
                let message = format!(
                    "{} is not restricted: its scope says nothing of it",
                    dimension.name
                );
                findings.push(subject.says(Level::Note, "unconstrained-dimension", ".scope", message));
            }
            None => {}
        }
    }
    findings
}
