//! JSON Schemas for editors and for checks without a cluster. Strict: unknown fields are errors.

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::{MARK, text, yaml};

/// The schema of a kind's objects.
pub(super) fn document(definition: &Value) -> anyhow::Result<String> {
    let schema = definition
        .pointer("/spec/versions/0/schema/openAPIV3Schema")
        .context("a definition without schema")?;
    let mut schema = schema.clone();
    strict(&mut schema);
    let root = schema.as_object_mut().context("a schema that is no object")?;
    let group = text(definition, "/spec/group")?;
    let version = text(definition, "/spec/versions/0/name")?;
    let kind = text(definition, "/spec/names/kind")?;
    root.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    root.insert(
        "$comment".into(),
        json!(format!(
            "{MARK}. Change the Rust types in crds/src/kinds instead."
        )),
    );
    root.insert("title".into(), json!(kind));
    root.insert(
        "required".into(),
        json!(["apiVersion", "kind", "metadata", "spec"]),
    );
    let properties = root.get_mut("properties").and_then(Value::as_object_mut);
    let properties = properties.context("a schema without properties")?;
    properties.insert(
        "apiVersion".into(),
        json!({ "const": format!("{group}/{version}") }),
    );
    properties.insert("kind".into(), json!({ "const": kind }));
    properties.insert(
        "metadata".into(),
        json!({ "type": "object", "required": ["name"] }),
    );
    let mut text = serde_json::to_string_pretty(&yaml::sorted(&schema))?;
    text.push('\n');
    Ok(text)
}

/// Closes objects, and says in JSON Schema's words what Kubernetes says in its own.
pub(super) fn strict(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    let is_open = object.remove("x-kubernetes-preserve-unknown-fields") == Some(Value::Bool(true));
    object.retain(|key, _| !key.starts_with("x-kubernetes-"));
    let is_object = object.get("type") == Some(&json!("object"));
    if is_object && !is_open && !object.contains_key("additionalProperties") {
        object.insert("additionalProperties".into(), Value::Bool(false));
    }
    children(object);
}

fn children(object: &mut Map<String, Value>) {
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(strict);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(child) = object.get_mut(key) {
            strict(child);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bot() -> Value {
        let all = monstrum_crds::definition::all();
        let bot = all
            .iter()
            .find(|definition| definition["spec"]["names"]["kind"] == "Bot")
            .unwrap();
        serde_json::from_str(&document(bot).unwrap()).unwrap()
    }

    #[test]
    fn a_right_object_fits_and_a_misspelt_one_does_not() {
        let validator = jsonschema::options().build(&bot()).unwrap();
        let object = |field: &str| {
            json!({
                "apiVersion": "monstrum.dev/v1alpha1", "kind": "Bot", "metadata": { "name": "triage" },
                "spec": { "gateway": { field: 2, "pod": { "containers": { "gateway": { "resources": { "limits": { "cpu": 1, "memory": "64Mi" } } } } } } }
            })
        };
        assert!(validator.is_valid(&object("replicas")));
        assert!(!validator.is_valid(&object("replica")));
    }
}
