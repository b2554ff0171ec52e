//! Values that a parameter's schema lists and that no call can have, since the parameter feeds a dimension.

use serde_json::Value;

use crate::fault::FieldFault;
use crate::feed::CompiledFeed;
use crate::matching::Canonical;
use crate::source::Tool;

/// What is wrong with the values that the schema of a fed parameter lists. Fields are relative to the tool.
///
/// A canonical form takes the argument's place and must be valid too: of a list that holds `Example.COM` alone, nothing could be said.
pub(super) fn faults(tool: &Tool, feed: &CompiledFeed) -> Vec<FieldFault> {
    let Some((field, schema)) = feed
        .pointer()
        .and_then(|pointer| parameter(&tool.parameters, pointer))
    else {
        return Vec::new();
    };
    let listed = match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(values)), _) => values.as_slice(),
        (_, Some(value)) => std::slice::from_ref(value),
        _ => return Vec::new(),
    };
    let keyword = if schema.get("enum").is_some() {
        "enum"
    } else {
        "const"
    };
    let fault = |(place, value): (usize, &Value)| {
        let message = unusable(value, listed, feed)?;
        let place = if keyword == "enum" {
            format!("[{place}]")
        } else {
            String::new()
        };
        Some(FieldFault::new(format!("{field}.{keyword}{place}"), message))
    };
    listed.iter().enumerate().filter_map(fault).collect()
}

/// Why no call can have a listed value.
fn unusable(value: &Value, listed: &[Value], feed: &CompiledFeed) -> Option<String> {
    // A null is an absence, and what is no scalar is spread.
    if matches!(value, Value::Null | Value::Array(_)) {
        return None;
    }
    match Canonical::read(feed.matching(), value) {
        Err(why) => Some(format!(
            "{value} can never be passed: it {why}; remove it or write it otherwise"
        )),
        Ok(canonical) => {
            let text = canonical.replacement()?;
            let kept = listed.iter().any(|listed| listed.as_str() == Some(text));
            (!kept).then(|| {
                format!("{value} can never be passed: it is checked and sent as {text:?}; write that instead")
            })
        }
    }
}

/// The plain schema of a parameter, or of its elements, with its field.
fn parameter<'a>(schema: &'a Value, pointer: &str) -> Option<(String, &'a Value)> {
    let mut field = "parameters".to_owned();
    let mut schema = schema;
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        schema = schema.get("properties")?.get(&name)?;
        field = format!("{field}.properties.{name}");
    }
    match schema.get("items") {
        Some(items) if schema.get("type").and_then(Value::as_str) == Some("array") => {
            Some((format!("{field}.items"), items))
        }
        _ => Some((field, schema)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use crate::source::ResourceType;
    use crate::validate_resource_type;

    use super::*;

    fn found(matching: &Value, parameter: &Value) -> Vec<FieldFault> {
        let resource_type: ResourceType = serde_json::from_value(json!({
            "name": "r", "executor": "http", "dimensions": [{"name": "d", "match": matching}],
            "tools": [{
                "name": "act", "description": "", "operation": "x.act",
                "parameters": {"type": "object", "properties": {"a": parameter}},
                "scope": [{"dimension": "d", "from": {"pointer": "/a"}}]
            }]
        }))
        .unwrap();
        validate_resource_type(&resource_type)
    }

    #[rstest]
    #[case::host(json!({"host": {}}), json!({"type": "string", "enum": ["a.example.com", "B.example.com"]}), "enum[1]", "\"b.example.com\"")]
    #[case::final_dot(json!({"host": {}}), json!({"type": "string", "const": "a.example.com."}), "const", "\"a.example.com\"")]
    #[case::address(json!({"host": {}}), json!({"type": "string", "enum": ["127.1"]}), "enum[0]", "\"127.0.0.1\"")]
    #[case::no_host(json!({"host": {}}), json!({"type": "string", "enum": ["a b"]}), "enum[0]", "not a host")]
    #[case::url(json!({"url": {}}), json!({"type": "string", "enum": ["https://example.com"]}), "enum[0]", "\"https://example.com/\"")]
    #[case::path(json!({"path": {}}), json!({"type": "string", "enum": ["./a", "b"]}), "enum[0]", "\"a\"")]
    #[case::climbing(json!({"path": {}}), json!({"type": "string", "enum": ["../a"]}), "enum[0]", "climbs")]
    #[case::in_a_list(json!({"host": {}}), json!({"type": "array", "items": {"type": "string", "enum": ["A.de"]}}), "items.enum[0]", "\"a.de\"")]
    #[case::of_another_type(json!({"range": {}}), json!({"enum": [1, "two"]}), "enum[1]", "not a number")]
    #[case::no_value_of_the_dimension(json!({"enum": {"values": ["open"]}}), json!({"type": "string", "enum": ["open", "shut"]}), "enum[1]", "not one of")]
    #[case::command(json!({"command": {}}), json!({"type": "string", "enum": ["ls", "ls | sh"]}), "enum[1]", "operator")]
    fn a_listed_value_that_no_call_can_have_is_told(
        #[case] matching: Value,
        #[case] parameter: Value,
        #[case] place: &str,
        #[case] part: &str,
    ) {
        let found = found(&matching, &parameter);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            found[0].field,
            format!("tools[0].parameters.properties.a.{place}")
        );
        assert!(found[0].message.contains(part), "{found:?}");
    }

    #[rstest]
    #[case(json!({"host": {}}), json!({"type": "string", "enum": ["a.example.com", "10.0.0.1"]}))]
    #[case(json!({"host": {}}), json!({"type": ["string", "null"], "enum": ["A.example.com", "a.example.com", null]}))]
    #[case(json!({"exact": {}}), json!({"enum": ["a", 1, true]}))]
    #[case(json!({"host": {}}), json!({"type": "string"}))]
    fn listed_values_that_calls_can_have_are_fine(#[case] matching: Value, #[case] parameter: Value) {
        assert_eq!(found(&matching, &parameter), []);
    }
}
