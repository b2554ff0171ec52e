//! Calls that a grant is likely to permit. Only the engine says whether it does.

use std::collections::BTreeMap;

use monstrum_guardian::document::Binding;
use monstrum_guardian::source::{FeedFrom, Grant, Match, Tool};
use serde_json::{Map, Value, json};

use super::pattern::samples;

/// No grant gives more candidates.
const MAX: usize = 64;

/// Arguments for a tool that the grant may permit, most telling first.
pub(crate) fn calls(binding: &Binding, tool: &Tool, grant: &Grant) -> Vec<Value> {
    let base = required(&tool.parameters);
    let mut candidates = vec![base];
    for dimension in &binding.dimensions {
        let Some(patterns) = grant.scope.get(&dimension.name) else {
            continue;
        };
        let values: Vec<Value> = patterns
            .iter()
            .flat_map(|pattern| samples(dimension, pattern))
            .collect();
        let separator = match &dimension.matching {
            Match::Glob { separator } => *separator,
            Match::Path {} => Some('/'),
            _ => None,
        };
        for feed in tool.scope.iter().filter(|feed| feed.dimension == dimension.name) {
            candidates = widened(&candidates, &values, &feed.from, separator);
        }
    }
    candidates.truncate(MAX);
    candidates
}

/// Each candidate with each value put where the dimension is fed from.
fn widened(candidates: &[Value], values: &[Value], from: &FeedFrom, separator: Option<char>) -> Vec<Value> {
    let mut out = Vec::new();
    for value in values {
        for candidate in candidates {
            let mut candidate = candidate.clone();
            match from {
                FeedFrom::Pointer(pointer) => put(&mut candidate, pointer, value.clone()),
                FeedFrom::Template(template) => fill(&mut candidate, template, value, separator),
            }
            if !out.contains(&candidate) && out.len() < MAX {
                out.push(candidate);
            }
        }
    }
    if out.is_empty() { candidates.to_vec() } else { out }
}

/// Puts a value where a pointer of one or more names points.
fn put(target: &mut Value, pointer: &str, value: Value) {
    let mut here = target;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if !here.is_object() {
            *here = Value::Object(Map::new());
        }
        let Value::Object(map) = here else { return };
        here = map.entry(token).or_insert(Value::Null);
    }
    *here = if here.is_array() && !value.is_array() {
        json!([value])
    } else {
        value
    };
}

/// Splits a value as `{/owner}/{/repo}` says.
fn fill(target: &mut Value, template: &str, value: &Value, separator: Option<char>) {
    let Value::String(text) = value else { return };
    let pointers: Vec<&str> = template
        .split('{')
        .skip(1)
        .filter_map(|part| part.split('}').next())
        .collect();
    let separator = separator.unwrap_or('/');
    for (pointer, part) in pointers.iter().zip(text.split(separator)) {
        put(target, pointer, part.into());
    }
}

/// An object with what its schema requires.
fn required(schema: &Value) -> Value {
    let names = schema
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let properties = schema.get("properties");
    let entries = names.iter().filter_map(Value::as_str).map(|name| {
        let property = properties
            .and_then(|properties| properties.get(name))
            .unwrap_or(&Value::Null);
        (name.to_owned(), instance(property))
    });
    Value::Object(entries.collect::<BTreeMap<_, _>>().into_iter().collect())
}

/// The simplest value of a schema that is nothing special.
fn instance(schema: &Value) -> Value {
    if let Some(value) = schema.get("const").or_else(|| schema.get("default")) {
        return value.clone();
    }
    if let Some(value) = schema
        .get("enum")
        .and_then(Value::as_array)
        .and_then(|values| values.first())
    {
        return value.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(false),
        Some("array") => match schema.get("minItems").and_then(Value::as_u64) {
            Some(1..) => json!([instance(schema.get("items").unwrap_or(&Value::Null))]),
            Some(0) | None => json!([]),
        },
        Some("object") => required(schema),
        _ => json!("x"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_and_pointers_are_filled() {
        let mut call = required(&json!({
            "required": ["owner", "state", "number"],
            "properties": {"state": {"enum": ["open"]}, "number": {"type": "integer"}}
        }));
        fill(&mut call, "{/owner}/{/repo}", &json!("acme/web"), Some('/'));
        put(&mut call, "/deep/er", json!(true));
        assert_eq!(
            call,
            json!({"owner": "acme", "repo": "web", "state": "open", "number": 1, "deep": {"er": true}})
        );
    }
}
