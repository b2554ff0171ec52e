//! What became of a tool: what it takes, what of that is judged, and what it does.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::json::told;
use crate::document::Binding;
use crate::source::{Dimension, Feed, FeedFrom, Grant, Match, Tool};

/// One thing that changed of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolChange {
    /// What, and how.
    pub words: String,
    /// Whether the change alone may permit more.
    pub may_widen: bool,
}

impl ToolChange {
    fn new(words: impl Into<String>, may_widen: bool) -> Self {
        Self {
            words: words.into(),
            may_widen,
        }
    }
}

/// What changed of a tool. Operation and risk decide which grants and approvals are about it, which is compared by itself; expressions
/// look at them too (`ruled`).
pub fn tool_changes(old: &Tool, new: &Tool, ruled: bool) -> Vec<ToolChange> {
    let mut changes = Vec::new();
    if old.parameters != new.parameters {
        changes.extend(parameters(&old.parameters, &new.parameters));
    }
    changes.extend(feeds(&old.scope, &new.scope));
    if old.operation != new.operation {
        let words = format!("its operation {} → {}", old.operation, new.operation);
        changes.push(ToolChange::new(words, ruled));
    }
    if old.risk != new.risk {
        let words = format!("its risk {:?} → {:?}", old.risk, new.risk);
        changes.push(ToolChange::new(words, ruled));
    }
    if old.execution != new.execution {
        let words = format!("what the tool does: {}", told(&old.execution, &new.execution));
        changes.push(ToolChange::new(words, true));
    }
    if old.idempotent != new.idempotent {
        let words = if new.idempotent {
            "it is repeated after a crash"
        } else {
            "it is not repeated after a crash any more"
        };
        changes.push(ToolChange::new(words, new.idempotent));
    }
    changes
}

/// The dimensions that changed and mean something for calls of the tool.
pub(super) fn dimension_changes(
    (old, old_tool): (&Binding, &Tool),
    (new, tool): (&Binding, &Tool),
    mentioned: &[&Grant],
) -> Vec<String> {
    let names: BTreeSet<&str> = [old, new]
        .iter()
        .flat_map(|binding| &binding.dimensions)
        .map(|dimension| dimension.name.as_str())
        .collect();
    let fed = |name: &str| {
        [old_tool, tool]
            .iter()
            .any(|tool| tool.scope.iter().any(|feed| feed.dimension == name))
    };
    let changed = names.into_iter().filter_map(|name| {
        let (was, is) = (named(old, name), named(new, name));
        let ruled = [was, is]
            .into_iter()
            .flatten()
            .any(|dimension| matches!(dimension.matching, Match::Cel {}));
        let said = mentioned.iter().any(|grant| grant.scope.contains_key(name));
        (ruled || said || fed(name))
            .then(|| dimension_change(name, was, is))
            .flatten()
    });
    changed.collect()
}

fn named<'a>(binding: &'a Binding, name: &str) -> Option<&'a Dimension> {
    binding.dimensions.iter().find(|dimension| dimension.name == name)
}

fn dimension_change(name: &str, old: Option<&Dimension>, new: Option<&Dimension>) -> Option<String> {
    let (Some(old), Some(new)) = (old, new) else {
        let what = if old.is_some() { "gone" } else { "new" };
        return Some(format!("dimension {name} is {what}"));
    };
    let mut parts = Vec::new();
    if old.matching != new.matching {
        let json = |matching: &Match| serde_json::to_value(matching).unwrap_or_default();
        parts.push(format!("match {} → {}", json(&old.matching), json(&new.matching)));
    }
    if old.when_unset != new.when_unset {
        parts.push(format!("whenUnset {:?} → {:?}", old.when_unset, new.when_unset));
    }
    (!parts.is_empty()).then(|| format!("dimension {name}: {}", parts.join(", ")))
}

/// A feed that is gone leaves an argument unjudged; one that is new makes grants cover the tool that could not before.
fn feeds(old: &[Feed], new: &[Feed]) -> Vec<ToolChange> {
    let from = |feed: &Feed| match &feed.from {
        FeedFrom::Pointer(pointer) => pointer.clone(),
        FeedFrom::Template(template) => template.clone(),
    };
    let gone = old.iter().filter(|feed| !new.contains(feed)).map(|feed| {
        let words = format!("{} is no longer fed from {}", feed.dimension, from(feed));
        ToolChange::new(words, true)
    });
    let come = new.iter().filter(|feed| !old.contains(feed)).map(|feed| {
        let words = format!("{} is fed from {}", feed.dimension, from(feed));
        ToolChange::new(words, true)
    });
    gone.chain(come).collect()
}

/// Of plain objects, a parameter less or one that must be given is known to be narrower.
fn parameters(old: &Value, new: &Value) -> Vec<ToolChange> {
    let (Some(before), Some(after)) = (Plain::of(old), Plain::of(new)) else {
        return vec![ToolChange::new(
            format!("its parameters: {}", told(old, new)),
            true,
        )];
    };
    let names: BTreeSet<&String> = before.properties.keys().chain(after.properties.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        match (before.properties.get(name), after.properties.get(name)) {
            (Some(_), None) => changes.push(ToolChange::new(format!("its parameter {name} is gone"), false)),
            (None, Some(_)) => changes.push(ToolChange::new(format!("its parameter {name} is new"), true)),
            (Some(old), Some(new)) if undescribed(old) != undescribed(new) => {
                let words = format!(
                    "its parameter {name}: {}",
                    told(&undescribed(old), &undescribed(new))
                );
                changes.push(ToolChange::new(words, true));
            }
            _ => {}
        }
    }
    let lost = before.required.difference(&after.required);
    changes.extend(lost.map(|name| ToolChange::new(format!("its parameter {name} may be left out"), true)));
    let gained = after.required.difference(&before.required);
    changes.extend(gained.map(|name| ToolChange::new(format!("its parameter {name} must be given"), false)));
    changes
}

/// A closed object that says nothing but its properties and which of them must be given.
struct Plain<'a> {
    properties: Map<String, Value>,
    required: BTreeSet<&'a str>,
}

impl<'a> Plain<'a> {
    fn of(schema: &'a Value) -> Option<Self> {
        let schema = schema.as_object()?;
        let known = |key: &String| {
            matches!(
                key.as_str(),
                "type" | "properties" | "required" | "additionalProperties" | "description" | "title"
            )
        };
        let is_object = schema.get("type").is_some_and(|kind| kind == "object");
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        if !is_object || !is_closed || !schema.keys().all(known) {
            return None;
        }
        let required = schema.get("required").and_then(Value::as_array);
        Some(Self {
            properties: schema
                .get("properties")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            required: required.into_iter().flatten().filter_map(Value::as_str).collect(),
        })
    }
}

/// The schema without what is for people.
fn undescribed(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(fields) = &mut schema {
        fields.remove("description");
        fields.remove("title");
    }
    schema
}
