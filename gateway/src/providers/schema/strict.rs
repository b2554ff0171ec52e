//! Which schemas providers take in strict mode, where they make the model keep to them.

use serde_json::Value;

/// What strict mode understands.
const KNOWN: [&str; 23] = [
    "type",
    "title",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "enum",
    "const",
    "$ref",
    "$defs",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
];

/// Whether a tool with these parameters may be marked as strict. Nothing is changed for it: making every parameter required would
/// have the model say `null` where the author's schema takes none.
pub(in crate::providers) fn is_strict(schema: &Value) -> bool {
    let Value::Object(map) = schema else { return false };
    if !map.keys().all(|keyword| KNOWN.contains(&keyword.as_str())) {
        return false;
    }
    let names = map.get("properties").and_then(Value::as_object);
    let is_object = names.is_some() || mentions_object(map.get("type"));
    let all_required = || {
        let required = map.get("required").and_then(Value::as_array);
        let is_required =
            |name: &String| required.is_some_and(|list| list.iter().any(|item| item.as_str() == Some(name)));
        names.is_none_or(|names| names.keys().all(is_required))
    };
    if is_object && !(map.get("additionalProperties") == Some(&Value::Bool(false)) && all_required()) {
        return false;
    }
    let below = ["properties", "$defs"]
        .into_iter()
        .filter_map(|keyword| map.get(keyword));
    let below = below
        .filter_map(Value::as_object)
        .flat_map(|parts| parts.values());
    let alternatives = map.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    below.chain(alternatives).chain(map.get("items")).all(is_strict)
}

fn mentions_object(kind: Option<&Value>) -> bool {
    match kind {
        Some(Value::String(name)) => name == "object",
        Some(Value::Array(names)) => names.iter().any(|name| name == "object"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::all_required(
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false}),
        true
    )]
    #[case::none(json!({"type": "object", "properties": {}, "additionalProperties": false}), true)]
    #[case::optional(
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false}),
        false
    )]
    #[case::open(json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}), false)]
    #[case::open_below(
        json!({"type": "object", "properties": {"a": {"type": "object"}}, "required": ["a"], "additionalProperties": false}),
        false
    )]
    #[case::keyword(
        json!({"type": "object", "properties": {"a": {"allOf": [{}]}}, "required": ["a"], "additionalProperties": false}),
        false
    )]
    #[case::in_items(
        json!({"type": "object", "properties": {"a": {"type": "array", "items": {"default": 1}}}, "required": ["a"], "additionalProperties": false}),
        false
    )]
    #[case::in_alternative(
        json!({"type": "object", "properties": {"a": {"anyOf": [{"type": "null"}, {"type": "object"}]}}, "required": ["a"], "additionalProperties": false}),
        false
    )]
    fn only_a_schema_that_leaves_nothing_open_is_strict(#[case] schema: Value, #[case] strict: bool) {
        assert_eq!(is_strict(&schema), strict);
    }
}
