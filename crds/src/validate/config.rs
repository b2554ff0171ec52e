//! A resource's settings against its type's schema.

use monstrum_guardian::{Allowance, Schema};
use serde_json::Value;

use super::Fault;

/// How many faults of one object are told; the first ones are what a person works on.
const MAX_FAULTS: usize = 16;

/// Compiles a type's config schema, within the limits that hold for the schemas of parameters.
pub(crate) fn compile(schema: &Value) -> Result<Schema, Vec<Fault>> {
    Schema::compile(schema, &mut Allowance::default()).map_err(|faults| {
        let told = faults.into_iter().take(MAX_FAULTS).map(|fault| {
            let dot = if fault.field.is_empty() { "" } else { "." };
            Fault::invalid(
                format!("spec.config.schema{dot}{}", fault.field),
                format!(
                    "is not a JSON Schema that can be used: {}; put it right, and keep references within the schema",
                    fault.message
                ),
            )
        });
        told.collect()
    })
}

/// What is wrong with settings under their schema.
pub(crate) fn faults(schema: &Schema, settings: &Value) -> Vec<Fault> {
    schema
        .complaints(settings)
        .take(MAX_FAULTS)
        .map(|complaint| {
            let place = path(&complaint.pointer);
            Fault::invalid(
                format!("spec.config{place}"),
                format!("{}; see config.schema of the resource type", complaint.message),
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

/// A fault that an executor found.
pub(crate) fn of_executor(fault: monstrum_contract::Fault) -> Fault {
    let dot = if fault.field.is_empty() { "" } else { "." };
    Fault::invalid(format!("spec.config{dot}{}", fault.field), fault.message)
}

/// Adds faults of fields of which nothing is told yet.
pub(crate) fn further(faults: &mut Vec<Fault>, found: impl IntoIterator<Item = Fault>) {
    let told: Vec<String> = faults.iter().map(|fault| fault.field.clone()).collect();
    faults.extend(found.into_iter().filter(|fault| !told.contains(&fault.field)));
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
