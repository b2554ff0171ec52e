//! What became of the tools that a bot sees before and after.

use monstrum_guardian::comparison::tool_changes;
use monstrum_guardian::document::Document;
use monstrum_guardian::source::Tool;
use serde::Serialize;

use crate::policy::seen_name;

/// What changed of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolWords {
    pub(super) tool: String,
    pub(super) changes: Vec<String>,
}

/// The tools of which something changed, by the name that the bot calls them by.
pub(super) fn changed_tools(old: &Document, new: &Document) -> Vec<ToolWords> {
    let before = tools(old);
    let pairs = tools(new)
        .into_iter()
        .filter_map(|(name, tool)| Some((before.iter().find(|(other, _)| *other == name)?.1, name, tool)));
    pairs
        .map(|(old, tool, new)| ToolWords {
            tool,
            changes: tool_changes(old, new, true)
                .into_iter()
                .map(|change| change.words)
                .collect(),
        })
        .filter(|words| !words.changes.is_empty())
        .collect()
}

fn tools(document: &Document) -> Vec<(String, &Tool)> {
    let bindings = document.bindings.iter();
    bindings
        .flat_map(|binding| {
            binding
                .tools
                .iter()
                .map(move |tool| (seen_name(binding, tool), tool))
        })
        .collect()
}
