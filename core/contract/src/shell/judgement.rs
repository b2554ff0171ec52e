//! What is wrong with a resource type whose tools are commands.

use monstrum_guardian::source::{FeedFrom, Match, ResourceType, Tool};
use serde_json::Value;

use super::COMMAND;
use crate::Fault;
use crate::template::{Declared, declared};

/// The shell runs the canonical value of the dimension `command`, so every tool must feed it, and must always.
pub(super) fn of_type(source: &ResourceType) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut dimensions = source.dimensions.iter();
    if !dimensions.any(|dimension| dimension.name == COMMAND && dimension.matching == Match::Command {}) {
        faults.push(Fault::new(
            "dimensions",
            "executor shell runs what the dimension \"command\" judges: declare it with match: {command: {}}",
        ));
    }
    for (index, tool) in source.tools.iter().enumerate() {
        if !feeds_one_command(tool) {
            faults.push(Fault::new(
                format!("tools[{index}].scope"),
                "a tool of executor shell feeds the dimension \"command\" once, by a pointer to a required string",
            ));
        }
    }
    faults
}

fn feeds_one_command(tool: &Tool) -> bool {
    let mut feeds = tool.scope.iter().filter(|feed| feed.dimension == COMMAND);
    let (Some(feed), None) = (feeds.next(), feeds.next()) else {
        return false;
    };
    let FeedFrom::Pointer(pointer) = &feed.from else {
        return false;
    };
    let kind = pointer
        .strip_prefix('/')
        .and_then(|name| tool.parameters.get("properties")?.get(name)?.get("type"))
        .and_then(Value::as_str);
    kind == Some("string") && declared(pointer, &tool.parameters) == Declared::Required
}
