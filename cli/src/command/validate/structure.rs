//! What the API server refuses of an object by itself: its metadata, the schema of its kind, and the schema's own rules.
//!
//! The definitions are the ones that are installed. As the API server does, rules are asked only of objects that their schema
//! takes, so that no fault is told twice.

mod lists;
mod metadata;
mod pointer;
mod rules;
mod unknown;
mod words;

use std::collections::BTreeMap;

use jsonschema::Validator;
use monstrum_crds::definition;
use monstrum_crds::object::Kind;
use serde_json::{Map, Value};

use crate::files::{Document, is_cluster_wide};
use crate::policy::Problem;

/// One fault of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    /// Where, as a JSON Pointer. What is missing may be named.
    pointer: String,
    /// What is wrong and what to do.
    message: String,
    /// The sort of wrong, which is API.
    reason: &'static str,
}

impl Fault {
    fn schema(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
            reason: "Schema",
        }
    }
}

/// Every kind's definition, compiled.
pub(super) struct Definitions(BTreeMap<String, Definition>);

struct Definition {
    schema: Value,
    validator: Validator,
}

impl Definitions {
    /// Those that are installed.
    pub(super) fn installed() -> Self {
        let mut definitions = BTreeMap::new();
        for definition in definition::all() {
            let kind = definition.pointer("/spec/names/kind").and_then(Value::as_str);
            let schema = definition.pointer("/spec/versions/0/schema/openAPIV3Schema");
            if let (Some(kind), Some(schema)) = (kind, schema)
                && let Some(compiled) = Definition::compile(schema)
            {
                definitions.insert(kind.to_owned(), compiled);
            }
        }
        Self(definitions)
    }

    /// What the API server would refuse of a document.
    pub(super) fn problems(&self, document: &Document, namespace: &str) -> Vec<Problem> {
        let value = document.node.to_value();
        let title = title(document, namespace);
        let Some(definition) = self.0.get(document.kind.as_str()) else {
            return Vec::new();
        };
        let faults = definition.faults(document.kind, &value);
        faults
            .into_iter()
            .map(|fault| {
                let problem = Problem {
                    object: title.clone(),
                    field: pointer::field(&fault.pointer),
                    message: fault.message,
                    reason: fault.reason.to_owned(),
                    place: None,
                };
                problem.at(document.spot_of_pointer(&fault.pointer))
            })
            .collect()
    }
}

/// As the object is going to be called.
fn title(document: &Document, namespace: &str) -> String {
    let name = document.meta("name").unwrap_or_default();
    if is_cluster_wide(document.kind) {
        format!("{} {name}", document.kind)
    } else {
        let namespace = document
            .meta("namespace")
            .filter(|own| !own.is_empty())
            .unwrap_or(namespace);
        format!("{} {namespace}/{name}", document.kind)
    }
}

impl Definition {
    fn compile(schema: &Value) -> Option<Self> {
        let validator = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(schema)
            .ok()?;
        Some(Self {
            schema: schema.clone(),
            validator,
        })
    }

    fn faults(&self, kind: Kind, value: &Value) -> Vec<Fault> {
        let mut faults = metadata::faults(kind, value);
        let body = body(value, &self.schema);
        for error in self.validator.iter_errors(&body) {
            faults.extend(words::faults(&error, &self.schema));
        }
        unknown::faults(&body, &self.schema, &mut faults);
        lists::faults(&body, &self.schema, "", &mut faults);
        if faults.is_empty() {
            faults = rules::faults(value, &body, &self.schema);
        }
        faults
    }
}

/// What the schema is asked about: without type and metadata, which are the API server's own, and without status, which whoever
/// writes an object can't set. Null is absence.
fn body(value: &Value, schema: &Value) -> Value {
    let mut body: Map<String, Value> = value.as_object().cloned().unwrap_or_default();
    for key in ["apiVersion", "kind", "metadata", "status"] {
        body.remove(key);
    }
    let mut body = Value::Object(body);
    without_nulls(&mut body, schema);
    body
}

/// Takes out the nulls that the API server takes for absence: fields that a schema knows. No definition has one that may be null.
fn without_nulls(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| !(value.is_null() && part(schema, name).is_some()));
            for (name, value) in fields {
                if let Some(schema) = part(schema, name) {
                    without_nulls(value, schema);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for item in items {
                    without_nulls(item, schema);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The schema of one field.
fn part<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let property = schema
        .get("properties")
        .and_then(|properties| properties.get(name));
    property.or_else(|| {
        schema
            .get("additionalProperties")
            .filter(|schema| schema.is_object())
    })
}

#[cfg(test)]
mod tests;
