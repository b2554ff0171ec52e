//! Parameter schemas: closed, local, linear, compiled once.

mod closing;
mod keywords;
mod openness;
mod plain;
mod work;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

pub(crate) use closing::closed;
pub(crate) use keywords::{declares, faults, form_faults};
pub(crate) use openness::admits;

use self::plain::PlainObject;
use crate::expression::Allowance;
use crate::schema;
use crate::strict_json::ARGUMENTS;

/// A tool's compiled parameter schema.
#[derive(Debug)]
pub(crate) struct Parameters {
    validator: Validator,
    /// What the validator says, sooner, where the schema is of the common form.
    plain: Option<PlainObject>,
    /// How many levels arguments may have; more would make a recursive schema too much work.
    depth: usize,
}

impl Parameters {
    /// Compiles a schema; it is closed first, whatever it says.
    pub(crate) fn compile(schema: &Value) -> Result<Self, String> {
        if let Some(fault) = keywords::form_faults(schema).into_iter().next() {
            return Err(fault.message);
        }
        let closed = closed(schema);
        let depth = keywords::value_depth(&closed).ok_or("the schema is too much work for any value")?;
        schema::build(&closed, &mut Allowance::default()).map(|validator| Self {
            validator,
            plain: PlainObject::of(&closed),
            depth,
        })
    }

    /// Whether the arguments have the declared form; what is wrong names the parameter.
    pub(crate) fn check(&self, arguments: &Value) -> Result<(), String> {
        if self.plain.as_ref().is_some_and(|plain| plain.admits(arguments)) {
            return Ok(());
        }
        if self.depth < ARGUMENTS.depth && !is_at_most(arguments, self.depth) {
            return Err("the parameters nest too deeply for their schema".to_owned());
        }
        // Where everything is right, no place needs to be named.
        if self.validator.is_valid(arguments) {
            return Ok(());
        }
        self.validator
            .validate(arguments)
            .map_err(|error| message(&error))
    }
}

/// Whether the value has at most so many levels below it.
fn is_at_most(value: &Value, levels: usize) -> bool {
    let below = |part: &Value| {
        levels
            .checked_sub(1)
            .is_some_and(|levels| is_at_most(part, levels))
    };
    match value {
        Value::Array(items) => items.iter().all(below),
        Value::Object(fields) => fields.values().all(below),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// What is wrong, without the value itself.
fn message(error: &ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    let name = |name: &str| format!("{place}/{name}").trim_start_matches('/').to_owned();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            format!(
                "parameter {} is missing",
                name(property.as_str().unwrap_or_default())
            )
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let names: Vec<_> = unexpected
                .iter()
                .take(8)
                .map(|property| shortened(&name(property)))
                .collect();
            format!("there is no parameter {}", names.join(", "))
        }
        _ if place.is_empty() => format!("the parameters: {}", shortened(&error.masked().to_string())),
        _ => format!(
            "parameter {}: {}",
            name("").trim_end_matches('/'),
            shortened(&error.masked().to_string())
        ),
    }
}

/// At most a few hundred characters of a text that a model may have written.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["owner"],
            "additionalProperties": true,
            "properties": {
                "owner": {"type": "string"},
                "limit": {"type": "integer", "minimum": 1},
                "labels": {"type": "array", "items": {"type": "string"}},
                "filter": {"type": "object", "properties": {"state": {"type": "string"}}},
                "meta": {"type": "object"},
                "note": {"type": ["string", "null"]},
                "either": {"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "null"}]},
                "when": {"type": "string", "format": "date"}
            }
        })
    }

    #[rstest]
    #[case::good(json!({"owner": "acme", "limit": 1}), None)]
    #[case::absent(json!({}), Some("parameter owner is missing"))]
    #[case::null(json!({"owner": null}), Some("parameter owner:"))]
    #[case::array(json!({"owner": ["acme"]}), Some("parameter owner:"))]
    #[case::object(json!({"owner": {"name": "acme"}}), Some("parameter owner:"))]
    #[case::number(json!({"owner": 1}), Some("parameter owner:"))]
    #[case::numeric_string(json!({"owner": "a", "limit": "1"}), Some("parameter limit:"))]
    #[case::fraction(json!({"owner": "a", "limit": 1.5}), Some("parameter limit:"))]
    #[case::undeclared(json!({"owner": "a", "admin": true}), Some("there is no parameter admin"))]
    #[case::case_variant(json!({"owner": "a", "Owner": "b"}), Some("there is no parameter Owner"))]
    #[case::prototype(json!({"owner": "a", "__proto__": {}}), Some("there is no parameter __proto__"))]
    #[case::undeclared_inside(json!({"owner": "a", "filter": {"x": 1}}), Some("there is no parameter filter/x"))]
    #[case::undeclared_in_choice(json!({"owner": "a", "either": {"b": 1}}), Some("parameter either:"))]
    #[case::free_form(json!({"owner": "a", "meta": {"x": 1}}), None)]
    #[case::null_where_permitted(json!({"owner": "a", "note": null}), None)]
    #[case::null_where_not(json!({"owner": "a", "limit": null}), Some("parameter limit:"))]
    #[case::format(json!({"owner": "a", "when": "tomorrow"}), Some("parameter when:"))]
    fn checks(#[case] arguments: Value, #[case] expected: Option<&str>) {
        let answer = Parameters::compile(&schema()).unwrap().check(&arguments);
        match expected {
            None => assert_eq!(answer, Ok(())),
            Some(start) => assert!(answer.clone().unwrap_err().starts_with(start), "{answer:?}"),
        }
    }

    /// Each level doubles the work of a validator that tries every alternative.
    #[test]
    fn a_recursive_schema_cannot_be_made_to_work_without_end() {
        let schema = json!({"type": "object", "properties": {
            "c": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}, "x": {"type": "string"}
        }});
        let parameters = Parameters::compile(&schema).unwrap();
        let nested = |levels: usize| (0..levels).fold(json!({"x": 1}), |inner, _| json!({"c": inner}));
        assert!(parameters.check(&nested(30)).unwrap_err().contains("too deeply"));
        assert!(parameters.check(&nested(3)).unwrap_err().contains("parameter c"));
        assert_eq!(parameters.check(&json!({"c": {"c": {"x": "a"}}})), Ok(()));
    }

    #[test]
    fn a_message_holds_no_value() {
        let parameters = Parameters::compile(&schema()).unwrap();
        let message = parameters
            .check(&json!({"owner": "a", "limit": "hunter2"}))
            .unwrap_err();
        assert!(!message.contains("hunter2"), "{message}");
    }
}
