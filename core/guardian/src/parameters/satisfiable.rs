//! Parts of a schema of parameters that no arguments can satisfy once it is closed.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::shape::{self, Types};
use crate::fault::FieldFault;

/// How deep a schema that was looked at before may be.
const MAX_DEPTH: usize = 64;
/// Bounds that must not cross: the least, the most.
const BOUNDS: [(&str, &str); 4] = [
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
];

/// What can never be given. Fields are relative to the schema.
pub(super) fn faults(schema: &Value) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    if let Value::Object(map) = schema {
        let walk = Walk { root: schema };
        walk.within(map, "", MAX_DEPTH, true, &mut faults);
    }
    faults
}

struct Walk<'a> {
    root: &'a Value,
}

impl<'a> Walk<'a> {
    fn within(
        &self,
        map: &'a Map<String, Value>,
        field: &str,
        depth: usize,
        root: bool,
        faults: &mut Vec<FieldFault>,
    ) {
        let Some(depth) = depth.checked_sub(1) else { return };
        bounds(map, field, faults);
        self.types(map, field, faults);
        if root || map.contains_key("properties") || map.contains_key("patternProperties") {
            self.closed(map, field, faults);
        }
        for (keyword, value) in map {
            let below = join(field, keyword);
            match (keyword.as_str(), value) {
                ("properties" | "$defs" | "definitions", Value::Object(parts)) => {
                    for (name, part) in parts {
                        self.part(part, &join(&below, name), depth, faults);
                    }
                }
                ("items" | "additionalProperties", part) => self.part(part, &below, depth, faults),
                ("allOf" | "prefixItems", Value::Array(parts)) => {
                    for (place, part) in parts.iter().enumerate() {
                        self.part(part, &format!("{below}[{place}]"), depth, faults);
                    }
                }
                _ => {}
            }
        }
    }

    fn part(&self, part: &'a Value, field: &str, depth: usize, faults: &mut Vec<FieldFault>) {
        if let Value::Object(map) = part {
            self.within(map, field, depth, false, faults);
        }
    }

    fn types(&self, map: &'a Map<String, Value>, field: &str, faults: &mut Vec<FieldFault>) {
        let composed = ["allOf", "anyOf", "oneOf", "$ref", "enum", "const"];
        let schema = Value::Object(map.clone());
        if is_listless(map) {
            faults.push(FieldFault::new(
                join(field, "enum"),
                "no value is listed, so nothing fits; list some",
            ));
        } else if composed.iter().any(|keyword| map.contains_key(*keyword))
            && shape::types(self.root, &schema, MAX_DEPTH) == Types::NONE
        {
            faults.push(FieldFault::new(
                field,
                "no value has all the types that are asked for; make them agree",
            ));
        }
    }

    /// What is required and not declared is denied either way.
    fn closed(&self, map: &'a Map<String, Value>, field: &str, faults: &mut Vec<FieldFault>) {
        let mut declared = Declared::default();
        declared.collect(self.root, map, MAX_DEPTH);
        let required = map.get("required").and_then(Value::as_array);
        for (place, name) in required.into_iter().flatten().enumerate() {
            let Some(name) = name.as_str() else { continue };
            if !declared.is_open && !declared.names.contains(name) {
                faults.push(FieldFault::new(
                    format!("{}[{place}]", join(field, "required")),
                    format!("{name} is required and not declared, and what is not declared is denied; declare it under properties"),
                ));
            }
        }
    }
}

/// The properties that an object may have.
#[derive(Default)]
struct Declared<'a> {
    names: BTreeSet<&'a str>,
    /// Names can't be listed.
    is_open: bool,
}

impl<'a> Declared<'a> {
    fn collect(&mut self, root: &'a Value, map: &'a Map<String, Value>, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            self.is_open = true;
            return;
        };
        self.is_open |= map.contains_key("patternProperties");
        let properties = map.get("properties").and_then(Value::as_object);
        self.names
            .extend(properties.into_iter().flat_map(Map::keys).map(String::as_str));
        for (keyword, value) in map {
            let parts: Vec<&'a Value> = match (keyword.as_str(), value) {
                ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => parts.iter().collect(),
                ("then" | "else", part) => vec![part],
                ("dependentSchemas", Value::Object(parts)) => parts.values().collect(),
                ("$ref", reference) => shape::referred(root, reference).into_iter().collect(),
                _ => Vec::new(),
            };
            for part in parts.into_iter().filter_map(Value::as_object) {
                self.collect(root, part, depth);
            }
        }
    }
}

fn bounds(map: &Map<String, Value>, field: &str, faults: &mut Vec<FieldFault>) {
    let number = |keyword: &str| map.get(keyword).and_then(Value::as_f64);
    for (least, most) in BOUNDS {
        if let (Some(low), Some(high)) = (number(least), number(most))
            && low > high
        {
            faults.push(FieldFault::new(
                join(field, least),
                format!("{least} is more than {most}, so nothing fits; correct one of them"),
            ));
        }
    }
}

fn is_listless(map: &Map<String, Value>) -> bool {
    map.get("enum")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty)
}

fn join(field: &str, step: &str) -> String {
    if field.is_empty() {
        step.to_owned()
    } else {
        format!("{field}.{step}")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn with(property: Value) -> Value {
        json!({"type": "object", "properties": {"a": property}})
    }

    #[rstest]
    #[case::undeclared(json!({"type": "object", "required": ["a"]}), "required[0]")]
    #[case::misspelt(json!({"type": "object", "required": ["b"], "properties": {"a": {}}}), "required[0]")]
    #[case::below(with(json!({"type": "object", "required": ["x"], "properties": {"y": {}}})), "properties.a.required[0]")]
    #[case::composed(json!({"type": "object", "required": ["c"], "allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}), "required[0]")]
    #[case::length(with(json!({"type": "string", "minLength": 5, "maxLength": 4})), "properties.a.minLength")]
    #[case::range(with(json!({"type": "number", "minimum": 5, "maximum": 4})), "properties.a.minimum")]
    #[case::items(with(json!({"type": "array", "minItems": 2, "maxItems": 1})), "properties.a.minItems")]
    #[case::no_values(with(json!({"enum": []})), "properties.a.enum")]
    #[case::values_of_another_type(with(json!({"type": "integer", "enum": ["1", "2"]})), "properties.a")]
    #[case::value_of_another_type(with(json!({"type": "string", "const": 1})), "properties.a")]
    #[case::types(with(json!({"allOf": [{"type": "string"}, {"type": "number"}]})), "properties.a")]
    fn finds_what_nothing_can_satisfy(#[case] schema: Value, #[case] field: &str) {
        let faults = faults(&schema);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].field, field);
    }

    #[rstest]
    #[case(json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}))]
    #[case(json!({"type": "object", "required": ["a"], "allOf": [{"properties": {"a": {}}}]}))]
    #[case(json!({"type": "object", "required": ["a"], "anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}))]
    #[case(json!({"type": "object", "required": ["a"], "$ref": "#/$defs/x", "$defs": {"x": {"properties": {"a": {}}}}}))]
    #[case(json!({"type": "object", "required": ["a1"], "patternProperties": {"^a": {}}}))]
    #[case(json!({"type": "object", "properties": {"a": {}}, "additionalProperties": true}))]
    #[case(with(json!({"type": "object", "required": ["x"]})))]
    #[case(with(json!({"type": "object", "additionalProperties": {"type": "string"}})))]
    #[case(with(json!({"type": ["string", "null"], "enum": ["a", null]})))]
    fn lets_the_rest_be(#[case] schema: Value) {
        assert_eq!(faults(&schema), []);
    }
}
