//! The schema of a tool's parameters, as model providers take it.
//!
//! They refuse a root that is put together from other schemas, and keywords of newer drafts. What is shown is the author's
//! schema with the properties of all alternatives side by side, and the conditions among them as words. The check is the
//! Guardian's and does not look at it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

mod strict;

pub(super) use strict::is_strict;

/// Keywords by which the root is put together, or that judge it as a whole.
const COMPOSITION: [&str; 12] = [
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
    "enum",
    "const",
];
/// Schemas within schemas are followed so far.
const MAX_DEPTH: usize = 8;
/// Longer conditions are not quoted.
const MAX_QUOTED: usize = 4 << 10;

/// A tool's parameters for a provider, and what the model is told of them in words.
pub(super) fn shown(parameters: &Value) -> (Value, Option<String>) {
    let mut schema = parameters.clone();
    forget_newer_drafts(&mut schema);
    let Value::Object(root) = &mut schema else {
        return (schema, None);
    };
    let whole = root.clone();
    let conditions: Map<String, Value> = COMPOSITION
        .iter()
        .filter_map(|keyword| root.remove_entry(*keyword))
        .collect();
    if conditions.is_empty() {
        // They want both of a tool without parameters, too.
        root.entry("type").or_insert(json!("object"));
        root.entry("properties").or_insert(json!({}));
        return (schema, None);
    }
    let mut gathered = Gathered {
        root: &whole,
        properties: BTreeMap::new(),
    };
    let required = gathered.add(&whole, MAX_DEPTH);
    let properties: Map<String, Value> = gathered
        .properties
        .into_iter()
        .map(|(name, variants)| (name, one_of(variants)))
        .collect();
    root.insert("type".to_owned(), json!("object"));
    root.insert("properties".to_owned(), Value::Object(properties));
    root.insert("additionalProperties".to_owned(), json!(false));
    root.remove("required");
    if !required.is_empty() {
        root.insert("required".to_owned(), json!(required));
    }
    (schema, Some(words(&conditions)))
}

/// The properties of a root and of all that it is put together from.
struct Gathered<'a> {
    root: &'a Map<String, Value>,
    properties: BTreeMap<String, Vec<Value>>,
}

impl Gathered<'_> {
    /// Adds the properties of a schema and gives those that are required whichever alternative is taken.
    fn add(&mut self, schema: &Map<String, Value>, depth: usize) -> BTreeSet<String> {
        let mut required: BTreeSet<String> = names(schema.get("required"));
        let Some(depth) = depth.checked_sub(1) else {
            return required;
        };
        for (name, property) in objects(schema.get("properties")) {
            let variants = self.properties.entry(name.clone()).or_default();
            if !variants.contains(property) {
                variants.push(property.clone());
            }
        }
        if let Some(target) = self.target(schema) {
            required.extend(self.add(&target, depth));
        }
        for part in parts(schema.get("allOf")) {
            required.extend(self.add(part, depth));
        }
        for keyword in ["anyOf", "oneOf"] {
            let alternatives = parts(schema.get(keyword)).map(|part| self.add(part, depth));
            let common = alternatives.reduce(|left, right| &left & &right);
            required.extend(common.unwrap_or_default());
        }
        for keyword in ["then", "else"] {
            if let Some(Value::Object(part)) = schema.get(keyword) {
                self.add(part, depth);
            }
        }
        for (_, part) in objects(schema.get("dependentSchemas")) {
            if let Value::Object(part) = part {
                self.add(part, depth);
            }
        }
        required
    }

    /// What a reference names: admission lets only those within the schema through.
    fn target(&self, schema: &Map<String, Value>) -> Option<Map<String, Value>> {
        let mut tokens = schema.get("$ref")?.as_str()?.strip_prefix("#/")?.split('/');
        let name = tokens.next()?;
        let first = self.root.get(&name.replace("~1", "/").replace("~0", "~"))?;
        let found = tokens.try_fold(first, |value, token| {
            value.get(token.replace("~1", "/").replace("~0", "~"))
        })?;
        found.as_object().cloned()
    }
}

fn one_of(mut variants: Vec<Value>) -> Value {
    if variants.len() == 1 {
        return variants.swap_remove(0);
    }
    json!({ "anyOf": variants })
}

fn names(value: Option<&Value>) -> BTreeSet<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn objects(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn parts(value: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_object)
}

fn words(conditions: &Map<String, Value>) -> String {
    let quoted = json!(conditions).to_string();
    if quoted.len() > MAX_QUOTED {
        return "Not every combination of the parameters is taken.".to_owned();
    }
    format!("The parameters must also satisfy this JSON Schema: {quoted}")
}

/// Takes out what only newer drafts of JSON Schema know, wherever a schema stands.
fn forget_newer_drafts(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    for keyword in ["$schema", "unevaluatedProperties", "unevaluatedItems"] {
        map.remove(keyword);
    }
    for (keyword, value) in map {
        match (keyword.as_str(), value) {
            // Values, not schemas.
            ("const" | "enum" | "default" | "examples" | "required" | "dependentRequired", _) => {}
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(parts),
            ) => parts.values_mut().for_each(forget_newer_drafts),
            (_, Value::Array(parts)) => parts.iter_mut().for_each(forget_newer_drafts),
            (_, part) => forget_newer_drafts(part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn string() -> Value {
        json!({"type": "string"})
    }

    #[test]
    fn a_plain_schema_is_shown_as_it_is() {
        let schema = json!({
            "type": "object", "required": ["a"], "additionalProperties": false,
            "properties": {"a": {"anyOf": [string(), {"type": "null"}]}, "b": {"$ref": "#/$defs/b"}},
            "$defs": {"b": {"type": "string", "format": "date", "default": "x"}}
        });
        assert_eq!(shown(&schema), (schema, None));
    }

    #[rstest]
    #[case::any_of(
        json!({"anyOf": [
            {"properties": {"id": string()}, "required": ["id"]},
            {"properties": {"name": string()}, "required": ["name"]}
        ]}),
        json!({"id": string(), "name": string()}),
        json!(null)
    )]
    #[case::common_requirement(
        json!({"required": ["x"], "properties": {"x": string()}, "oneOf": [
            {"properties": {"id": string()}, "required": ["id", "k"]},
            {"properties": {"k": string()}, "required": ["k"]}
        ]}),
        json!({"id": string(), "k": string(), "x": string()}),
        json!(["k", "x"])
    )]
    #[case::all_of(
        json!({"allOf": [
            {"properties": {"a": string()}, "required": ["a"]},
            {"$ref": "#/$defs/b"}
        ], "$defs": {"b": {"properties": {"b": string()}, "required": ["b"]}}}),
        json!({"a": string(), "b": string()}),
        json!(["a", "b"])
    )]
    #[case::reference(
        json!({"$ref": "#/$defs/b", "$defs": {"b": {"properties": {"b": string()}, "required": ["b"]}}}),
        json!({"b": string()}),
        json!(["b"])
    )]
    #[case::two_forms_of_one_property(
        json!({"oneOf": [{"properties": {"a": string()}}, {"properties": {"a": {"type": "integer"}}}]}),
        json!({"a": {"anyOf": [string(), {"type": "integer"}]}}),
        json!(null)
    )]
    #[case::not(
        json!({"properties": {"a": string()}, "not": {"required": ["a", "b"]}}),
        json!({"a": string()}),
        json!(null)
    )]
    #[case::values(
        json!({"properties": {"a": string()}, "enum": [{"a": "x"}, {"a": "y"}]}),
        json!({"a": string()}),
        json!(null)
    )]
    #[case::condition(
        json!({"properties": {"a": string()}, "if": {"required": ["a"]}, "then": {"properties": {"b": string()}}}),
        json!({"a": string(), "b": string()}),
        json!(null)
    )]
    #[case::dependent(
        json!({"properties": {"a": string()}, "dependentSchemas": {"a": {"properties": {"c": string()}}}}),
        json!({"a": string(), "c": string()}),
        json!(null)
    )]
    fn a_composed_root_shows_all_its_properties_and_says_the_conditions(
        #[case] mut schema: Value,
        #[case] properties: Value,
        #[case] required: Value,
    ) {
        schema["type"] = json!("object");
        schema["unevaluatedProperties"] = json!(false);
        let (shown, words) = shown(&schema);
        assert_eq!(shown["type"], "object");
        assert_eq!(shown["properties"], properties);
        assert_eq!(shown["required"], required);
        assert_eq!(shown["additionalProperties"], false);
        for keyword in COMPOSITION.iter().chain(&["unevaluatedProperties"]) {
            assert!(shown.get(keyword).is_none(), "{keyword}");
        }
        let words = words.unwrap();
        let condition = COMPOSITION.iter().find(|keyword| schema.get(**keyword).is_some());
        assert!(words.contains(&format!("\"{}\":", condition.unwrap())), "{words}");
    }

    #[test]
    fn newer_keywords_go_and_parameters_of_their_name_stay() {
        let schema = json!({"type": "object", "$schema": "x", "properties": {
            "unevaluatedProperties": {"type": "object", "unevaluatedProperties": false, "allOf": [{"unevaluatedItems": false}]},
            "e": {"enum": [{"unevaluatedProperties": 1}]}
        }});
        let expected = json!({"type": "object", "properties": {
            "unevaluatedProperties": {"type": "object", "allOf": [{}]},
            "e": {"enum": [{"unevaluatedProperties": 1}]}
        }});
        assert_eq!(shown(&schema).0, expected);
    }

    #[test]
    fn a_circle_of_references_and_a_long_condition_end() {
        let schema = json!({"type": "object", "$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a", "properties": {"a": string()}}}});
        assert_eq!(shown(&schema).0["properties"], json!({"a": string()}));
        let schema = json!({"type": "object", "not": {"const": "x".repeat(MAX_QUOTED)}});
        assert!(shown(&schema).1.unwrap().len() < 100);
    }
}
