//! The keywords of JSON Schema, and what was probably meant by another one.
//!
//! A validator ignores a keyword that it does not know, so a slip such as `maxLenght` would lift a bound without a word.

use serde_json::Value;

/// JSON Schema 2020-12, with what older drafts and `OpenAPI` have for people to read.
const KEYWORDS: [&str; 65] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$recursiveRef",
    "$ref",
    "$schema",
    "$vocabulary",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "deprecated",
    "description",
    "discriminator",
    "else",
    "enum",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "if",
    "items",
    "maxContains",
    "maximum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "minContains",
    "minimum",
    "minItems",
    "minLength",
    "minProperties",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "readOnly",
    "required",
    "then",
    "title",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
    "writeOnly",
    "xml",
];
/// Keywords that restrict or describe and are written otherwise than here.
const OTHERS: [(&str, &str); 6] = [
    ("min", "minimum, minLength or minItems"),
    ("max", "maximum, maxLength or maxItems"),
    ("regex", "pattern"),
    ("values", "enum"),
    ("optional", "required, which lists what must be there"),
    ("nullable", "type: [string, \"null\"]"),
];

/// Whether a keyword is one, or says by its name that it is somebody's own.
pub(super) fn is_known(keyword: &str) -> bool {
    KEYWORDS.contains(&keyword) || keyword.starts_with("x-")
}

/// What was probably meant by a keyword that there is not. None where it is one, or is like none.
pub(super) fn meant(keyword: &str) -> Option<&'static str> {
    if is_known(keyword) {
        return None;
    }
    if let Some((_, other)) = OTHERS.iter().find(|(known, _)| *known == keyword) {
        return Some(*other);
    }
    let far = match keyword.len() {
        0..4 => return None,
        4..6 => 1,
        6..12 => 2,
        _ => 3,
    };
    KEYWORDS
        .iter()
        .filter(|known| known.len() >= 4)
        .map(|known| {
            (
                strsim::osa_distance(&keyword.to_lowercase(), &known.to_lowercase()),
                *known,
            )
        })
        .filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, known)| known)
}

/// The places of keywords that no validator knows and that are like none, as `properties.a.style`.
pub(crate) fn strangers(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    gather(schema, "", &mut found);
    found
}

fn gather(schema: &Value, field: &str, found: &mut Vec<String>) {
    let join = |field: &str, step: &str| {
        if field.is_empty() {
            step.to_owned()
        } else {
            format!("{field}.{step}")
        }
    };
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        let below = join(field, keyword);
        match (keyword.as_str(), value) {
            (keyword, _) if !is_known(keyword) => found.push(below),
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(parts),
            ) => {
                for (name, part) in parts {
                    gather(part, &join(&below, name), found);
                }
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(parts)) => {
                for (place, part) in parts.iter().enumerate() {
                    gather(part, &format!("{below}[{place}]"), found);
                }
            }
            ("items" | "additionalProperties" | "contains" | "not" | "if" | "then" | "else", part) => {
                gather(part, &below, found);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn strangers_have_their_places() {
        let schema = json!({"type": "object", "x-a": {"b": 1}, "properties": {
            "enumNames": {"enumNames": [], "default": {"c": 1}, "items": {"anyOf": [{"style": 1}]}}
        }});
        assert_eq!(
            strangers(&schema),
            [
                "properties.enumNames.enumNames",
                "properties.enumNames.items.anyOf[0].style"
            ]
        );
    }

    #[rstest]
    #[case("maxLenght", "maxLength")]
    #[case("maxlength", "maxLength")]
    #[case("minLenth", "minLength")]
    #[case("patern", "pattern")]
    #[case("propertys", "properties")]
    #[case("require", "required")]
    #[case("requierd", "required")]
    #[case("additionalProperty", "additionalProperties")]
    #[case("enums", "enum")]
    #[case("maxItem", "maxItems")]
    #[case("Type", "type")]
    #[case("anyof", "anyOf")]
    #[case("uniqueitems", "uniqueItems")]
    fn slips_are_recognised(#[case] slip: &str, #[case] expected: &str) {
        assert_eq!(meant(slip), Some(expected));
    }

    #[rstest]
    #[case("type")]
    #[case("uniqueItems")]
    #[case("x-order")]
    #[case("example")]
    #[case("enumNames")]
    #[case("markdownDescription")]
    #[case("icon")]
    #[case("unit")]
    fn what_is_no_slip_is_let_be(#[case] keyword: &str) {
        assert_eq!(meant(keyword), None);
    }
}
