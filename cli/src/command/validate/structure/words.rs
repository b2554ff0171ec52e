//! What is wrong under a schema, in words for people.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use monstrum_crds::schema;
use monstrum_guardian::excerpt;
use serde_json::Value;

use super::{Fault, pointer};
use crate::output::{closest, listed};

/// How many values of a list are told.
const TOLD: usize = 12;
/// How many characters of a value are told.
const SHOWN: usize = 40;

/// The forms that several fields have.
const FORMS: [(&str, &str); 18] = [
    (
        schema::LABEL,
        "lower-case letters, digits and -, with a letter or digit at both ends",
    ),
    (
        schema::SUBDOMAIN,
        "lower-case letters, digits, - and ., with a letter or digit at both ends",
    ),
    (schema::SECRET_KEY, "letters, digits, -, _ and ."),
    (
        schema::IDENTIFIER,
        "letters, digits, - and _, starting with a letter",
    ),
    (schema::TOOL, "letters, digits, _ and -"),
    (
        schema::OPERATION,
        "lower-case words with dots between, for example issue.read",
    ),
    (
        schema::OPERATION_PATTERN,
        "an operation such as issue.read, a group such as issue.*, or *",
    ),
    (
        schema::TOOL_PATTERN,
        "a tool's name, in which * stands for any characters",
    ),
    (schema::ALIAS, "letters, digits and -, starting with a letter"),
    (
        schema::HTTP_URL,
        "an address that begins with http:// or https://",
    ),
    (schema::POINTER, "a JSON Pointer such as /owner"),
    (schema::DECIMAL, "a decimal number such as 2.50"),
    (
        schema::DURATION,
        "a length of time such as 90s, 5m, 1h30m or 30d, with the larger units first",
    ),
    (
        schema::DESTINATION,
        "a host such as api.example.com, *.example.com or http://api.tools.svc:8080",
    ),
    (schema::QUANTITY, "a quantity such as 500m, 2, 256Mi or 1Gi"),
    (schema::TEMPERATURE, "a number from 0 to 2, such as \"0.2\""),
    (schema::SHARE, "a number above 0, and 1 at most, such as \"0.9\""),
    (schema::HEADER, "the name of an HTTP header, such as x-api-key"),
];

/// The faults that one error of the validator stands for.
pub(super) fn faults(error: &ValidationError<'_>, schema: &Value) -> Vec<Fault> {
    let at = error.instance_path().to_string();
    if let ValidationErrorKind::Required { property } = error.kind() {
        let name = property.as_str().unwrap_or_default();
        return vec![Fault::schema(pointer::join(&at, name), "is missing: set it")];
    }
    let value = error.instance();
    let alternatives = || schema.pointer(error.schema_path().as_str());
    vec![Fault::schema(at, message(error.kind(), value, alternatives()))]
}

fn message(kind: &ValidationErrorKind, value: &Value, alternatives: Option<&Value>) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::Type { kind } => type_message(kind, value),
        Kind::Enum { options } => one_of(value, options),
        Kind::Pattern { pattern } => match FORMS.iter().find(|(known, _)| known == pattern) {
            Some((_, form)) => format!("{} has not the right form: write {form}", shown(value)),
            None => format!("{} has not the right form: it must match {pattern}", shown(value)),
        },
        Kind::Format { format } if format == "date-time" => {
            format!(
                "{} is no time: write one such as 2030-01-31T12:00:00Z",
                shown(value)
            )
        }
        Kind::MinLength { limit: 1 } => "is empty: set it, or remove the field".to_owned(),
        Kind::MinLength { limit } => too_few(length(value), *limit, "characters"),
        Kind::MaxLength { limit } => too_many(length(value), *limit, "characters"),
        Kind::MinItems { limit: 1 } => "is empty: add an item".to_owned(),
        Kind::MinItems { limit } => too_few(length(value), *limit, "items"),
        Kind::MaxItems { limit } => too_many(length(value), *limit, "items"),
        Kind::MaxProperties { limit } => too_many(length(value), *limit, "entries"),
        Kind::MinProperties { limit } => too_few(length(value), *limit, "entries"),
        Kind::Minimum { limit } => format!("{value} is too small: the least is {}", plain(limit)),
        Kind::Maximum { limit } => format!("{value} is too large: the most is {}", plain(limit)),
        Kind::ExclusiveMinimum { limit } => {
            format!("{value} is too small: it must be more than {}", plain(limit))
        }
        Kind::ExclusiveMaximum { limit } => {
            format!("{value} is too large: it must be less than {}", plain(limit))
        }
        Kind::AnyOf { .. } => format!(
            "{} is {}: write a number or a string",
            shown(value),
            type_of(value)
        ),
        Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => exactly_one(value, alternatives),
        _ => "is not what the definition permits".to_owned(),
    }
}

fn type_message(kind: &TypeKind, value: &Value) -> String {
    let wanted = match kind {
        TypeKind::Single(kind) => kind.to_string(),
        TypeKind::Multiple(_) => String::new(),
    };
    let wanted = match wanted.as_str() {
        "string" => "a string",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a mapping",
        "null" => "null",
        _ => "another type",
    };
    let remedy = match value {
        Value::Bool(_) | Value::Number(_) if wanted == "a string" => {
            "put it in quotes (without, YAML reads yes, no, on, off and digits as something else)".to_owned()
        }
        Value::String(text) if text.parse::<f64>().is_ok() || matches!(text.as_str(), "true" | "false") => {
            "remove the quotes".to_owned()
        }
        _ => format!("write {wanted}"),
    };
    format!("must be {wanted}, and is {}: {remedy}", type_of(value))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn one_of(value: &Value, options: &Value) -> String {
    let options: Vec<&str> = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let known = listed(&options, TOLD);
    match value.as_str().and_then(|text| closest(text, &options)) {
        Some(meant) => format!(
            "there is no {}: did you mean {meant}? The values are {known}",
            shown(value)
        ),
        None => format!("there is no {}: the values are {known}", shown(value)),
    }
}

/// Of alternatives that are told apart by a field, one is set.
fn exactly_one(value: &Value, alternatives: Option<&Value>) -> String {
    let names: Vec<&str> = alternatives
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|alternative| alternative.get("required")?.get(0)?.as_str())
        .collect();
    let set: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| value.get(*name).is_some())
        .collect();
    let known = listed(&names, TOLD);
    match set.as_slice() {
        _ if names.is_empty() => format!("{} is none of the forms that are permitted", shown(value)),
        [] => format!("says nothing: set one of {known}"),
        several => format!(
            "says several things ({}): set exactly one of {known}",
            several.join(", ")
        ),
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// `1.0`, as definitions have it, is 1 to people.
fn plain(limit: &Value) -> String {
    let text = limit.to_string();
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

fn too_many(count: usize, limit: u64, noun: &str) -> String {
    format!("has {count} {noun}: at most {limit} are permitted")
}

fn too_few(count: usize, limit: u64, noun: &str) -> String {
    format!("has {count} {noun}: at least {limit} are needed")
}

/// A value, cut.
fn shown(value: &Value) -> String {
    excerpt(&value.to_string(), SHOWN)
}
