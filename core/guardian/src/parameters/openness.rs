//! What arguments can hold, besides what is declared by name.

use serde_json::{Map, Value};

/// Whether an argument can be where the pointer leads: a declared parameter, or a part of one that is open. True where it is not known.
pub(crate) fn admits(schema: &Value, pointer: &str) -> bool {
    let mut schema = schema;
    for (depth, token) in pointer.split('/').skip(1).enumerate() {
        let name = token.replace("~1", "/").replace("~0", "~");
        let Value::Object(map) = schema else { return true };
        match map.get("properties").and_then(|properties| properties.get(&name)) {
            Some(next) => schema = next,
            None => return is_declared_elsewhere(map) || (depth > 0 && is_open(map)),
        }
    }
    true
}

fn is_declared_elsewhere(map: &Map<String, Value>) -> bool {
    ["$ref", "allOf", "anyOf", "oneOf", "patternProperties"]
        .iter()
        .any(|keyword| map.contains_key(*keyword))
        || map.get("additionalProperties").is_some_and(Value::is_object)
}

/// Whether closing leaves the names within a part to whoever calls.
fn is_open(part: &Map<String, Value>) -> bool {
    let is_object = |name: &Value| name.as_str() == Some("object");
    let may_be_object = match part.get("type") {
        None => true,
        Some(Value::Array(names)) => names.iter().any(is_object),
        Some(name) => is_object(name),
    };
    may_be_object
        && !part.contains_key("properties")
        && part.get("additionalProperties") != Some(&Value::Bool(false))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn knows_what_arguments_can_hold() {
        let schema = json!({"type": "object", "properties": {
            "free": {"type": ["object", "null"]}, "any": {}, "text": {"type": "string"}, "shut": {"type": "object", "additionalProperties": false},
            "filter": {"type": "object", "properties": {"by": {"type": "string"}, "in": {"type": "object"}}}
        }});
        for pointer in [
            "/free",
            "/free/x",
            "/free/x/y",
            "/any/x/y",
            "/filter/by",
            "/filter/in/x",
        ] {
            assert!(admits(&schema, pointer), "{pointer}");
        }
        for pointer in [
            "/none",
            "/none/x",
            "/text/x",
            "/shut/x",
            "/filter/bye",
            "/filter/by/x",
            "/filter/bye/x",
        ] {
            assert!(!admits(&schema, pointer), "{pointer}");
        }
    }
}
