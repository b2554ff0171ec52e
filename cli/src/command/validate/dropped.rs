//! What the API server would drop without a word: fields that no definition knows.

use monstrum_crds::object::Object;
use serde_json::Value;

use crate::files::Manifest;
use crate::policy::Problem;

/// Fields that are gone once the object was read and written again.
pub(super) fn problems(manifests: &[Manifest]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for manifest in manifests {
        let mut fields = Vec::new();
        lost(
            &manifest.node.to_value(),
            &written(&manifest.object),
            "",
            &mut fields,
        );
        for field in fields {
            let problem = Problem {
                object: manifest.title(),
                message: "there is no such field: remove it or correct its name".to_owned(),
                reason: "UnknownField".to_owned(),
                place: None,
                field,
            };
            let spot = manifest.spot(&problem.field);
            problems.push(problem.at(spot));
        }
    }
    problems
}

/// As it would be sent. Null where that fails, and then every field shows.
fn written(object: &Object) -> Value {
    match object {
        Object::ResourceType(object) => serde_json::to_value(object),
        Object::Workspace(object) => serde_json::to_value(object),
        Object::ModelProvider(object) => serde_json::to_value(object),
        Object::Credential(object) => serde_json::to_value(object),
        Object::Resource(object) => serde_json::to_value(object),
        Object::Bot(object) => serde_json::to_value(object),
        Object::BotRole(object) => serde_json::to_value(object),
        Object::BotBinding(object) => serde_json::to_value(object),
        Object::Channel(object) => serde_json::to_value(object),
    }
    .unwrap_or_default()
}

fn lost(read: &Value, written: &Value, field: &str, fields: &mut Vec<String>) {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            for (key, value) in read {
                let field = if field.is_empty() {
                    key.clone()
                } else {
                    format!("{field}.{key}")
                };
                match written.get(key) {
                    Some(written) => lost(value, written, &field, fields),
                    None if is_default(value) => {}
                    None => fields.push(field),
                }
            }
        }
        (Value::Array(read), Value::Array(written)) => {
            for (place, (read, written)) in read.iter().zip(written).enumerate() {
                lost(read, written, &format!("{field}[{place}]"), fields);
            }
        }
        _ => {}
    }
}

/// What is left out when it is written, since it says nothing.
fn is_default(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.values().all(is_default),
        Value::String(text) => text.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_said_something_counts() {
        let mut fields = Vec::new();
        let read = json!({"a": 1, "b": {"c": [{"d": 1, "x": 2}]}, "e": false, "f": {"g": null}, "h": "x"});
        let written = json!({"a": 1, "b": {"c": [{"d": 1}]}});
        lost(&read, &written, "", &mut fields);
        assert_eq!(fields, ["b.c[0].x", "h"]);
    }
}
