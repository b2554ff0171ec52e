//! *visible(bot, tool)*: what the model is shown, from names, operations and identity alone.

use serde::Serialize;
use serde_json::Value;

use crate::document::{Binding, Document};
use crate::source::{Risk, Tool};

/// One tool as the model sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VisibleTool {
    /// The name to call it by, prefix included.
    pub name: String,
    /// What the model is told about it.
    pub description: String,
    /// Its parameters as a closed JSON Schema, narrowed to what the grants can permit.
    pub parameters: Value,
    /// Which binding it belongs to.
    pub binding: String,
    /// For example `issue.read`.
    pub operation: String,
    /// How much harm it can do.
    pub risk: Risk,
}

pub(super) fn tool(name: &str, binding: &Binding, tool: &Tool, parameters: Value) -> VisibleTool {
    VisibleTool {
        name: name.to_owned(),
        description: tool.description.clone(),
        parameters,
        binding: binding.name.clone(),
        operation: tool.operation.clone(),
        risk: tool.risk,
    }
}

/// One line for each prefix. None when no tool has one.
pub(super) fn summary(document: &Document) -> Option<String> {
    let groups: Vec<_> = document.bindings.iter().filter_map(group).collect();
    if groups.is_empty() {
        return None;
    }
    Some(format!(
        "Some tools belong to a resource; their names begin with its group:\n{}",
        groups.join("\n")
    ))
}

fn group(binding: &Binding) -> Option<String> {
    let prefix = binding.prefix.as_deref()?;
    let description = binding
        .description
        .as_deref()
        .map(|text| format!(": {text}"))
        .unwrap_or_default();
    Some(format!(
        "- {prefix}__*: the {} resource {}{description}",
        binding.resource_type, binding.resource
    ))
}
