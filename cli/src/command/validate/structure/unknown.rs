//! Fields that no definition knows. The API server refuses them where it is asked to be strict, and else drops them.

use serde_json::Value;

use super::{Fault, part, pointer};
use crate::output::{closest, listed};

/// How many of an object's fields are told.
const TOLD: usize = 12;

/// The fields that the schema does not know.
pub(super) fn faults(value: &Value, schema: &Value, faults: &mut Vec<Fault>) {
    within(value, schema, "", faults);
}

fn within(value: &Value, schema: &Value, at: &str, faults: &mut Vec<Fault>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let at = pointer::join(at, name);
                match part(schema, name) {
                    Some(schema) => within(value, schema, &at, faults),
                    None if is_open(schema) => {}
                    None => faults.push(Fault {
                        pointer: at,
                        message: unknown(name, schema),
                        reason: "UnknownField",
                    }),
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (place, item) in items.iter().enumerate() {
                within(item, schema, &format!("{at}/{place}"), faults);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a schema takes any field, or is about something else than fields.
fn is_open(schema: &Value) -> bool {
    let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
    !is_object || schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true))
}

fn unknown(name: &str, schema: &Value) -> String {
    let known: Vec<&str> = schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default();
    match closest(name, &known) {
        Some(known) => format!("there is no field {name}: did you mean {known}?"),
        None if known.is_empty() => format!("there is no field {name}: remove it"),
        None => format!(
            "there is no field {name}: remove it, or use one of {}",
            listed(&known, TOLD)
        ),
    }
}
