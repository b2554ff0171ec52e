//! Grants without effect.

use monstrum_guardian::source::{Dimension, Grant, Tool, WhenUnset};

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
    never
        .map(|(tool, why)| {
            let message = format!("it shows {} and never permits it: {why}", tool.name);
            subject.says(Level::Warning, "never-permits", ".scope", message)
        })
        .collect()
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
            (true, true) | (false, _) => None,
        }
    })
}
