//! A resource's settings against its type's schema.

use jsonschema::{Draft, Validator};
use serde_json::Value;

use super::Fault;

/// How many faults of one object are told; the first ones are what a person works on.
const MAX_FAULTS: usize = 16;

/// Compiles a type's config schema.
pub(crate) fn compile(schema: &Value) -> Result<Validator, Fault> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(Fault::invalid("spec.config.schema.type", "must be \"object\""));
    }
    jsonschema::options().with_draft(Draft::Draft202012).build(schema).map_err(|error| {
        let place = path(error.instance_path().as_str());
        Fault::invalid(
            format!("spec.config.schema{place}"),
            format!("is not a JSON Schema that can be used: {error}; put it right, and keep references within the schema"),
        )
    })
}

/// What is wrong with settings under their schema.
pub(crate) fn faults(validator: &Validator, settings: &Value) -> Vec<Fault> {
    validator
        .iter_errors(settings)
        .take(MAX_FAULTS)
        .map(|error| {
            let place = path(error.instance_path().as_str());
            Fault::invalid(
                format!("spec.config{place}"),
                format!("{}; see config.schema of the resource type", error.masked()),
            )
        })
        .collect()
}

/// What is wrong with settings where the type has no schema.
pub(crate) fn unexpected(settings: &Value) -> Vec<Fault> {
    if settings.as_object().is_none_or(serde_json::Map::is_empty) {
        return Vec::new();
    }
    vec![Fault::invalid(
        "spec.config",
        "the resource type takes no settings: remove them",
    )]
}

/// A JSON Pointer as a field path: `/a/0/b` is `.a[0].b`.
pub(crate) fn path(pointer: &str) -> String {
    pointer
        .split('/')
        .skip(1)
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .map(|token| match token.parse::<usize>() {
            Ok(index) => format!("[{index}]"),
            Err(_) => format!(".{token}"),
        })
        .collect()
}
