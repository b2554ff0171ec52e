//! Closing a schema: what it does not declare is denied, whether or not its author said so.
//!
//! An object that declares properties is closed with `additionalProperties: false`, or, where it is put together from other
//! schemas (`allOf`, `$ref`, …), with `unevaluatedProperties: false`. Below `not`, `if` and `contains` nothing is changed: a
//! stricter condition there would permit more.

use serde_json::{Map, Value, json};

/// Keywords whose value is one subschema that describes another part of the instance.
const ONE: [&str; 4] = [
    "items",
    "unevaluatedItems",
    "additionalProperties",
    "unevaluatedProperties",
];
/// Keywords whose value is a map of such subschemas.
const MANY: [&str; 4] = ["properties", "patternProperties", "$defs", "definitions"];
/// Keywords that add conditions on the same part.
const COMPOSITION: [&str; 8] = [
    "allOf",
    "anyOf",
    "oneOf",
    "$ref",
    "if",
    "then",
    "else",
    "dependentSchemas",
];

/// The fields of schemas for what is not declared that closing takes away, though their author said what they should be like.
/// What only says that anything may come is no promise, and closing is known to overrule it.
pub(crate) fn overruled(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(schema, &closed(schema), "", &mut found);
    found
}

fn compare(written: &Value, closed: &Value, field: &str, found: &mut Vec<String>) {
    match (written, closed) {
        (Value::Object(written), Value::Object(closed)) => {
            let shut =
                |schema: &Map<String, Value>| schema.get("additionalProperties") == Some(&json!(false));
            // Nothing is left over for it.
            let shuts = shut(closed) && !shut(written);
            for (name, value) in written {
                let dot = if field.is_empty() { "" } else { "." };
                let field = format!("{field}{dot}{name}");
                let is_open = matches!(name.as_str(), "additionalProperties" | "unevaluatedProperties");
                match (value, closed.get(name)) {
                    (Value::Object(promise), _)
                        if shuts && name == "unevaluatedProperties" && !promise.is_empty() =>
                    {
                        found.push(field);
                    }
                    (_, Some(part @ (Value::Object(_) | Value::Array(_)))) => {
                        compare(value, part, &field, found);
                    }
                    (Value::Object(promise), _) if is_open && !promise.is_empty() => found.push(field),
                    _ => {}
                }
            }
        }
        (Value::Array(written), Value::Array(closed)) => {
            for (place, (written, closed)) in written.iter().zip(closed).enumerate() {
                compare(written, closed, &format!("{field}[{place}]"), found);
            }
        }
        _ => {}
    }
}

/// The schema of a tool's parameters, closed at every level. Closing twice changes nothing.
pub(crate) fn closed(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(map) = &mut schema {
        map.remove("$schema");
        close(map, true);
    }
    schema
}

/// Closes an object schema and everything below it. The root is closed even without properties.
fn close(schema: &mut Map<String, Value>, root: bool) {
    let declares = schema.contains_key("properties") || schema.contains_key("patternProperties");
    let composed_of_properties = COMPOSITION
        .iter()
        .any(|keyword| schema.get(*keyword).is_some_and(declares_properties));
    let composed = COMPOSITION.iter().any(|keyword| schema.contains_key(*keyword));
    if root || declares || (composed_of_properties && is_conjunction(schema)) {
        // `additionalProperties: false` is stricter still where it is written beside a composition.
        if composed && schema.get("additionalProperties") != Some(&json!(false)) {
            schema.remove("additionalProperties");
            schema.insert("unevaluatedProperties".to_owned(), json!(false));
        } else {
            schema.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    let branches_stand_alone = !root && !declares && !is_conjunction(schema);
    for_each_part(schema, |part| close(part, false));
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for branch in schema
            .get_mut(keyword)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Value::Object(branch) = branch {
                if branches_stand_alone {
                    close(branch, false);
                } else {
                    close_below(branch);
                }
            }
        }
    }
    for keyword in ["then", "else"] {
        if let Some(Value::Object(branch)) = schema.get_mut(keyword) {
            close_below(branch);
        }
    }
    for (_, branch) in schema
        .get_mut("dependentSchemas")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        if let Value::Object(branch) = branch {
            close_below(branch);
        }
    }
}

/// Closes what lies below a branch whose own object is closed by the schema that it is part of.
fn close_below(branch: &mut Map<String, Value>) {
    for keyword in ["additionalProperties", "unevaluatedProperties"] {
        if branch.get(keyword) != Some(&json!(false)) {
            branch.remove(keyword);
        }
    }
    for_each_part(branch, |part| close(part, false));
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for inner in branch
            .get_mut(keyword)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Value::Object(inner) = inner {
                close_below(inner);
            }
        }
    }
}

/// Whether several schemas describe one object together.
fn is_conjunction(schema: &Map<String, Value>) -> bool {
    let several = |keyword: &str| {
        schema
            .get(keyword)
            .and_then(Value::as_array)
            .is_some_and(|list| list.len() > 1)
    };
    several("allOf") || schema.contains_key("if") || schema.contains_key("dependentSchemas")
}

fn declares_properties(part: &Value) -> bool {
    match part {
        Value::Object(map) => map.contains_key("properties") || map.values().any(declares_properties),
        Value::Array(list) => list.iter().any(declares_properties),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Every subschema that describes another part of the instance.
fn for_each_part(schema: &mut Map<String, Value>, mut visit: impl FnMut(&mut Map<String, Value>)) {
    for keyword in ONE {
        if let Some(Value::Object(part)) = schema.get_mut(keyword) {
            visit(part);
        }
    }
    for keyword in MANY {
        for part in schema
            .get_mut(keyword)
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
        {
            if let Value::Object(part) = part.1 {
                visit(part);
            }
        }
    }
    for part in schema
        .get_mut("prefixItems")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Value::Object(part) = part {
            visit(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::Parameters;
    use super::*;

    #[rstest]
    #[case::no_properties(json!({"type": "object"}), json!({"a": 1}))]
    #[case::says_open(json!({"type": "object", "additionalProperties": true}), json!({"a": 1}))]
    #[case::says_typed(json!({"type": "object", "additionalProperties": {"type": "integer"}}), json!({"a": 1}))]
    #[case::nested(
        json!({"type": "object", "properties": {"o": {"properties": {"a": {}}, "additionalProperties": true}}}),
        json!({"o": {"b": 1}})
    )]
    #[case::in_items(
        json!({"type": "object", "properties": {"l": {"type": "array", "items": {"properties": {"a": {}}}}}}),
        json!({"l": [{"b": 1}]})
    )]
    #[case::by_reference(
        json!({"type": "object", "properties": {"o": {"$ref": "#/$defs/o"}}, "$defs": {"o": {"properties": {"a": {}}}}}),
        json!({"o": {"b": 1}})
    )]
    #[case::by_old_reference(
        json!({"type": "object", "properties": {"o": {"$ref": "#/definitions/o"}}, "definitions": {"o": {"properties": {"a": {}}}}}),
        json!({"o": {"b": 1}})
    )]
    #[case::root_all_of(
        json!({"type": "object", "allOf": [{"properties": {"a": {}}, "additionalProperties": true}]}),
        json!({"b": 1})
    )]
    #[case::root_any_of(
        json!({"type": "object", "anyOf": [{"properties": {"a": {}}}, {"properties": {"c": {}}}]}),
        json!({"b": 1})
    )]
    #[case::inner_any_of(
        json!({"type": "object", "properties": {"o": {"anyOf": [{"properties": {"a": {}}}, {"type": "null"}]}}}),
        json!({"o": {"b": 1}})
    )]
    #[case::inner_all_of(
        json!({"type": "object", "properties": {"o": {"allOf": [{"properties": {"a": {}}}, {"properties": {"c": {}}}]}}}),
        json!({"o": {"a": 1, "c": 1, "b": 1}})
    )]
    #[case::then_branch(
        json!({"type": "object", "properties": {"a": {}}, "if": {"required": ["a"]}, "then": {"additionalProperties": true}}),
        json!({"a": 1, "b": 1})
    )]
    #[case::closed_branch(
        json!({"type": "object", "properties": {"b": {}}, "allOf": [{"properties": {"a": {}}, "additionalProperties": false}]}),
        json!({"b": 1})
    )]
    #[case::closed_beside_branch(
        json!({"type": "object", "additionalProperties": false, "allOf": [{"properties": {"a": {}}}]}),
        json!({"a": 1})
    )]
    #[case::dependent(
        json!({"type": "object", "properties": {"a": {}}, "dependentSchemas": {"a": {"additionalProperties": true}}}),
        json!({"a": 1, "b": 1})
    )]
    fn refuses_the_undeclared(#[case] schema: Value, #[case] arguments: Value) {
        assert!(Parameters::compile(&schema).unwrap().check(&arguments).is_err());
        assert_eq!(closed(&closed(&schema)), closed(&schema));
    }

    #[rstest]
    #[case(
        json!({"type": "object", "allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}),
        json!({"a": 1, "b": 1})
    )]
    #[case(
        json!({"type": "object", "properties": {"o": {"anyOf": [{"properties": {"a": {}}}, {"type": "null"}]}}}),
        json!({"o": {"a": 1}})
    )]
    #[case(
        json!({"type": "object", "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}}}}),
        json!({"labels": {"any": "thing"}})
    )]
    #[case(
        json!({"type": "object", "properties": {"a": {"not": {"properties": {"x": {"const": 1}}, "required": ["x"]}}}}),
        json!({"a": {"x": 2, "y": 1}})
    )]
    fn keeps_the_declared(#[case] schema: Value, #[case] arguments: Value) {
        assert_eq!(Parameters::compile(&schema).unwrap().check(&arguments), Ok(()));
    }

    #[rstest]
    #[case::beside_properties(
        json!({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "integer"}}),
        &["additionalProperties"]
    )]
    #[case::alone_at_the_root(json!({"type": "object", "additionalProperties": {"type": "integer"}}), &["additionalProperties"])]
    #[case::nested(
        json!({"type": "object", "properties": {"o": {"properties": {"a": {}}, "additionalProperties": {"type": "integer"}}}}),
        &["properties.o.additionalProperties"]
    )]
    #[case::beside_patterns(
        json!({"type": "object", "properties": {"o": {"patternProperties": {"^a": {}}, "additionalProperties": {"type": "integer"}}}}),
        &["properties.o.additionalProperties"]
    )]
    #[case::in_items(
        json!({"type": "object", "properties": {"l": {"items": {"properties": {"a": {}}, "additionalProperties": {"type": "string"}}}}}),
        &["properties.l.items.additionalProperties"]
    )]
    #[case::in_a_branch(
        json!({"type": "object", "properties": {"a": {}}, "anyOf": [{"additionalProperties": {"type": "string"}}]}),
        &["anyOf[0].additionalProperties"]
    )]
    #[case::by_definition(
        json!({"type": "object", "properties": {"o": {"$ref": "#/$defs/o"}}, "$defs": {"o": {
            "properties": {"a": {}}, "unevaluatedProperties": {"type": "integer"}
        }}}),
        &["$defs.o.unevaluatedProperties"]
    )]
    #[case::composed(
        json!({"type": "object", "properties": {"o": {
            "allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}], "unevaluatedProperties": {"type": "integer"}
        }}}),
        &["properties.o.unevaluatedProperties"]
    )]
    #[case::anything(json!({"type": "object", "properties": {"a": {}}, "additionalProperties": true}), &[])]
    #[case::anything_as_a_schema(json!({"type": "object", "properties": {"a": {}}, "additionalProperties": {}}), &[])]
    #[case::nothing(json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false}), &[])]
    #[case::a_map(
        json!({"type": "object", "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}}}}),
        &[]
    )]
    #[case::a_parameter_of_this_name(
        json!({"type": "object", "properties": {"additionalProperties": {"type": "string"}}}),
        &[]
    )]
    fn what_is_said_of_undeclared_parameters_is_not_ignored_silently(
        #[case] schema: Value,
        #[case] expected: &[&str],
    ) {
        assert_eq!(overruled(&schema), expected);
    }

    /// Closing below `not` would permit what the author refuses.
    #[test]
    fn a_condition_is_not_made_stricter() {
        let schema = json!({
            "type": "object",
            "properties": {"a": {"not": {"properties": {"x": {"const": 1}}, "required": ["x"]}}}
        });
        assert!(
            Parameters::compile(&schema)
                .unwrap()
                .check(&json!({"a": {"x": 1, "y": 1}}))
                .is_err()
        );
    }
}
