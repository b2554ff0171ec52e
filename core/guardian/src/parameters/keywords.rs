//! What a schema may be made of.

use serde_json::{Map, Value};

use super::work::permitted_depth;
use crate::expression::Allowance;
use crate::fault::FieldFault;
use crate::{schema, strict_json};

/// No honest schema is larger.
const MAX_BYTES: usize = 128 << 10;
/// Nor deeper.
const MAX_DEPTH: usize = 32;

/// Keywords that reach outside the schema, or that older drafts enforce and this one ignores.
const REFUSED: [&str; 7] = [
    "$id",
    "$dynamicRef",
    "$recursiveRef",
    "$vocabulary",
    "dependencies",
    "additionalItems",
    "$dynamicAnchor",
];
/// Keywords that describe the same part of the instance.
const IN_PLACE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Everything that keeps a schema of parameters from being used. Fields are relative to it, and empty for the schema itself.
pub(crate) fn faults(schema: &Value, allowance: &mut Allowance) -> Vec<FieldFault> {
    let mut faults = form_faults(schema);
    if !faults.is_empty() {
        return faults;
    }
    let message = "what it says of parameters that are not declared would be ignored, since those are denied; declare them, or put what \
                   may have any name into an object of its own, without properties";
    faults.extend(
        super::closing::overruled(schema)
            .into_iter()
            .map(|field| FieldFault::new(field, message)),
    );
    if let Err(error) = schema::build(&super::closed(schema), allowance) {
        faults.push(FieldFault::new(
            "",
            format!("the schema does not compile: {error}"),
        ));
    }
    faults
}

/// Like [`faults`], without compiling.
pub(crate) fn form_faults(schema: &Value) -> Vec<FieldFault> {
    let Value::Object(root) = schema else {
        return vec![FieldFault::new(
            "",
            "this is not a JSON Schema; write an object schema",
        )];
    };
    if root.get("type").and_then(Value::as_str) != Some("object") {
        return vec![FieldFault::new(
            "type",
            "the schema is not of type object; write type: object",
        )];
    }
    if schema.to_string().len() > MAX_BYTES {
        return vec![FieldFault::new(
            "",
            format!("the schema is larger than {MAX_BYTES} bytes"),
        )];
    }
    let mut faults = Vec::new();
    walk(root, "", MAX_DEPTH, false, &mut faults);
    if faults.is_empty() && value_depth(schema).is_none() {
        faults.push(FieldFault::new(
            "",
            "references lead back to themselves on the spot, or multiply without end; break the circle or use fewer alternatives",
        ));
    }
    faults
}

/// How many levels a value may have below the arguments' own object.
pub(super) fn value_depth(schema: &Value) -> Option<usize> {
    let deepest = strict_json::ARGUMENTS.depth;
    // Without references, the schema's own size bounds the work.
    if schema.to_string().contains("\"$ref\"") {
        permitted_depth(schema, deepest)
    } else {
        Some(deepest)
    }
}

/// Looks at each subschema. `condition` is set below `not` and `if`, where a reference to a closed schema would permit more.
fn walk(
    schema: &Map<String, Value>,
    field: &str,
    depth: usize,
    condition: bool,
    faults: &mut Vec<FieldFault>,
) {
    let Some(depth) = depth.checked_sub(1) else {
        faults.push(FieldFault::new(field, "the schema nests too deeply"));
        return;
    };
    for (keyword, value) in schema {
        let field = if field.is_empty() {
            keyword.clone()
        } else {
            format!("{field}.{keyword}")
        };
        check_keyword(keyword, value, &field, condition, faults);
        let condition = condition || matches!(keyword.as_str(), "not" | "if" | "contains");
        match (keyword.as_str(), value) {
            // Values, not schemas.
            ("const" | "enum" | "default" | "examples" | "required", _) => {}
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(parts),
            ) => {
                for (name, part) in parts {
                    walk_part(part, &format!("{field}.{name}"), depth, condition, faults);
                }
            }
            (_, Value::Array(parts)) => {
                for (place, part) in parts.iter().enumerate() {
                    walk_part(part, &format!("{field}[{place}]"), depth, condition, faults);
                }
            }
            (_, part) => walk_part(part, &field, depth, condition, faults),
        }
    }
}

fn walk_part(part: &Value, field: &str, depth: usize, condition: bool, faults: &mut Vec<FieldFault>) {
    if let Value::Object(part) = part {
        walk(part, field, depth, condition, faults);
    }
}

fn check_keyword(keyword: &str, value: &Value, field: &str, condition: bool, faults: &mut Vec<FieldFault>) {
    if REFUSED.contains(&keyword) {
        faults.push(FieldFault::new(
            field,
            format!("the keyword {keyword} is not supported; remove it"),
        ));
    }
    if keyword == "$ref" {
        let target = value.as_str().unwrap_or_default();
        if !target.starts_with('#') {
            let message = format!("{value} leads outside the schema; put what it names under $defs");
            faults.push(FieldFault::new(field, message));
        } else if !is_closed_place(target) {
            let message =
                format!("{value} leads to no part that stands alone; put what it names under $defs");
            faults.push(FieldFault::new(field, message));
        } else if condition {
            let message = "a $ref below not, if or contains is not supported; write the schema there";
            faults.push(FieldFault::new(field, message));
        }
    }
}

/// Whether a reference leads to a subschema that is closed by itself: along properties, elements and definitions only.
fn is_closed_place(target: &str) -> bool {
    let mut tokens = target.split('/').skip(1);
    while let Some(keyword) = tokens.next() {
        let complete = match keyword {
            "properties" | "patternProperties" | "$defs" | "definitions" | "prefixItems" => {
                tokens.next().is_some()
            }
            "items" | "additionalProperties" | "unevaluatedItems" => true,
            _ => false,
        };
        if !complete {
            return false;
        }
    }
    // Percent-encodings and anchors are other spellings of what this can say.
    (target == "#" || target.starts_with("#/")) && !target.contains('%')
}

/// Whether the pointer can lead to a declared parameter; unknown where the schema is put together from others.
pub(crate) fn declares(schema: &Value, pointer: &str) -> bool {
    let mut schema = schema;
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let Value::Object(map) = schema else { return true };
        let composed =
            map.contains_key("$ref") || IN_PLACE_LISTS.iter().any(|keyword| map.contains_key(*keyword));
        if let Some(next) = map.get("properties").and_then(|properties| properties.get(&name)) {
            schema = next;
        } else if composed
            || map.contains_key("patternProperties")
            || map.get("additionalProperties").is_some_and(Value::is_object)
        {
            return true;
        } else {
            // Neither one element of a list: the others would not be looked at.
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::not_a_schema(json!("object"), "not a JSON Schema")]
    #[case::boolean(json!(true), "not a JSON Schema")]
    #[case::not_an_object(json!({"type": "string"}), "type object")]
    #[case::untyped(json!({}), "type object")]
    #[case::remote(json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/x.json"}}}), "outside")]
    #[case::file(json!({"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}), "outside")]
    #[case::relative(json!({"type": "object", "properties": {"a": {"$ref": "x.json#/a"}}}), "outside")]
    #[case::anchor(json!({"type": "object", "properties": {"a": {"$ref": "#x"}}}), "stands alone")]
    #[case::encoded(json!({"type": "object", "properties": {"a": {"$ref": "#/%24defs/a"}}, "$defs": {"a": {}}}), "stands alone")]
    #[case::hidden(json!({"type": "object", "properties": {"a": {"$ref": "#/x-a"}}, "x-a": {}}), "stands alone")]
    #[case::default(json!({"type": "object", "properties": {"a": {"$ref": "#/default"}}, "default": {}}), "stands alone")]
    #[case::open_branch(
        json!({"type": "object", "properties": {"a": {"$ref": "#/allOf/0"}}, "allOf": [{"properties": {"b": {}}}]}),
        "stands alone"
    )]
    #[case::base(json!({"type": "object", "$id": "https://example.com/"}), "not supported")]
    #[case::dangling(json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}}), "does not compile")]
    #[case::circle(json!({"type": "object", "allOf": [{"$ref": "#"}]}), "break the circle")]
    #[case::circle_in_definitions(
        json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}},
               "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}}),
        "break the circle"
    )]
    #[case::reference_in_condition(
        json!({"type": "object", "properties": {"a": {"not": {"$ref": "#/$defs/a"}}}, "$defs": {"a": {}}}),
        "below not"
    )]
    #[case::old_keyword(json!({"type": "object", "dependencies": {"a": ["b"]}}), "not supported")]
    #[case::wrong_keyword(json!({"type": "object", "properties": {"a": {"minimum": "1"}}}), "does not compile")]
    #[case::back_reference(json!({"type": "object", "properties": {"a": {"pattern": "(a)\\1"}}}), "does not compile")]
    #[case::look_ahead(json!({"type": "object", "properties": {"a": {"pattern": "(?=a)"}}}), "does not compile")]
    fn finds(#[case] schema: Value, #[case] reason: &str) {
        let faults = faults(&schema, &mut Allowance::default());
        assert!(
            faults.iter().any(|fault| fault.message.contains(reason)),
            "{faults:?}"
        );
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        let schema =
            json!({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "integer"}});
        let faults = faults(&schema, &mut Allowance::default());
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].field, "additionalProperties");
        assert!(faults[0].message.contains("would be ignored"), "{faults:?}");
    }

    #[test]
    fn refuses_depth() {
        let mut schema = json!({"type": "string"});
        for _ in 0..40 {
            schema = json!({"type": "object", "properties": {"a": schema}});
        }
        assert!(
            faults(&schema, &mut Allowance::default())
                .iter()
                .any(|fault| fault.message.contains("deeply"))
        );
    }

    #[test]
    fn a_recursive_schema_is_fine() {
        let tree =
            json!({"type": "object", "properties": {"child": {"$ref": "#"}, "name": {"type": "string"}}});
        assert_eq!(faults(&tree, &mut Allowance::default()), []);
    }

    #[test]
    fn a_property_may_have_any_name() {
        let schema = json!({"type": "object", "properties": {"id": {"type": "string"}, "dependencies": {"type": "string"}}});
        assert_eq!(faults(&schema, &mut Allowance::default()), []);
    }

    #[test]
    fn knows_declared_parameters() {
        let schema = json!({"type": "object", "properties": {
            "owner": {"type": "string"}, "filter": {"type": "object", "properties": {"a/b": {}}}, "any": {"$ref": "#/$defs/x"},
            "list": {"type": "array", "items": {"type": "string"}}
        }});
        assert!(declares(&schema, "/owner"));
        assert!(declares(&schema, "/filter/a~1b"));
        assert!(declares(&schema, "/any/thing"));
        assert!(!declares(&schema, "/ownr"));
        assert!(!declares(&schema, "/filter/c"));
        assert!(!declares(&schema, "/owner/name"));
        assert!(declares(&schema, "/list") && !declares(&schema, "/list/0"));
    }
}
