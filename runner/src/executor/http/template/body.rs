//! A JSON body with pointers in its strings.

use serde_json::{Map, Value};

use super::text::{Filling, Text};
use crate::call::Failure;

/// Fills `template`: a string that is exactly one pointer becomes the value, another one text. What is absent leaves its
/// key, or its place in a list, out.
pub(in crate::executor::http) fn fill(template: &Value, arguments: &Value) -> Result<Option<Value>, Failure> {
    match template {
        Value::String(source) => string(source, arguments),
        Value::Array(items) => list(items, arguments).map(Some),
        Value::Object(entries) => object(entries, arguments).map(Some),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(Some(template.clone())),
    }
}

fn string(source: &str, arguments: &Value) -> Result<Option<Value>, Failure> {
    let text = Text::parse(source)?;
    if let Some(pointer) = text.pointer() {
        return Ok(arguments.pointer(pointer).cloned());
    }
    match text.fill(arguments)? {
        Filling::Full(full) => Ok(Some(Value::String(full))),
        Filling::Absent(_) => Ok(None),
    }
}

fn list(items: &[Value], arguments: &Value) -> Result<Value, Failure> {
    let filled = items.iter().filter_map(|item| fill(item, arguments).transpose());
    filled.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn object(entries: &Map<String, Value>, arguments: &Value) -> Result<Value, Failure> {
    let mut filled = Map::new();
    for (key, value) in entries {
        if let Some(value) = fill(value, arguments)? {
            filled.insert(key.clone(), value);
        }
    }
    Ok(Value::Object(filled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_whole_pointer_is_the_value_and_a_partial_one_is_text() {
        let template = json!({
            "title": "{/title}", "labels": "{/labels}", "text": "by {/who}", "fixed": 1,
            "list": ["{/title}", "{/missing}"], "gone": "{/missing}", "gone_text": "x {/missing}",
        });
        let arguments = json!({ "title": "T\"}, \"admin\": true", "labels": ["a", {"b": 1}], "who": "me" });
        assert_eq!(
            fill(&template, &arguments).unwrap().unwrap(),
            json!({
                "title": "T\"}, \"admin\": true", "labels": ["a", {"b": 1}], "text": "by me", "fixed": 1,
                "list": ["T\"}, \"admin\": true"],
            })
        );
    }

    #[test]
    fn an_explicit_null_stays_null() {
        let filled = fill(&json!({ "milestone": "{/m}" }), &json!({ "m": null })).unwrap();
        assert_eq!(filled.unwrap(), json!({ "milestone": null }));
    }

    #[test]
    fn keys_are_never_filled() {
        let filled = fill(&json!({ "{/key}": 1 }), &json!({ "key": "admin" })).unwrap();
        assert_eq!(filled.unwrap(), json!({ "{/key}": 1 }));
    }
}
