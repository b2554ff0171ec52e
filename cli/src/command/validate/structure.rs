//! What the API server refuses by a definition's schema.

use std::collections::BTreeMap;

use monstrum_crds::definition;
use serde_json::Value;

use crate::files::Manifest;
use crate::policy::Problem;

/// Values that break the schema of their kind.
pub(super) fn problems(manifests: &[Manifest]) -> Vec<Problem> {
    let validators = validators();
    let mut problems = Vec::new();
    for manifest in manifests {
        let Some(validator) = validators.get(manifest.object.kind().as_str()) else {
            continue;
        };
        let value = manifest.node.to_value();
        for error in validator.iter_errors(&value) {
            let pointer = error.instance_path().to_string();
            let problem = Problem {
                object: manifest.title(),
                field: field(&pointer),
                message: error.to_string(),
                reason: "Schema".to_owned(),
                place: None,
            };
            problems.push(problem.at(manifest.spot_of_pointer(&pointer)));
        }
    }
    problems
}

/// A definition's schema as JSON Schema: what it says beyond that (`x-kubernetes-…`) is not looked at.
fn validators() -> BTreeMap<String, jsonschema::Validator> {
    let mut validators = BTreeMap::new();
    for definition in definition::all() {
        let kind = definition.pointer("/spec/names/kind").and_then(Value::as_str);
        let schema = definition.pointer("/spec/versions/0/schema/openAPIV3Schema");
        if let (Some(kind), Some(schema)) = (kind, schema)
            && let Ok(validator) = jsonschema::validator_for(schema)
        {
            validators.insert(kind.to_owned(), validator);
        }
    }
    validators
}

/// `/spec/grants/0/tools` as `spec.grants[0].tools`.
fn field(pointer: &str) -> String {
    let mut field = String::new();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if token.chars().all(|c| c.is_ascii_digit()) && !token.is_empty() {
            field.push('[');
            field.push_str(&token);
            field.push(']');
        } else {
            if !field.is_empty() {
                field.push('.');
            }
            field.push_str(&token);
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema_that_compiles() {
        assert_eq!(validators().len(), definition::all().len());
    }

    #[test]
    fn pointers_become_fields() {
        assert_eq!(
            field("/spec/grants/0/scope/repo~1x/1"),
            "spec.grants[0].scope.repo/x[1]"
        );
        assert_eq!(field(""), "");
    }
}
