//! Custom resource definitions as YAML.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::yaml;

/// For `kubectl apply`.
pub(super) fn plain(definition: &Value) -> anyhow::Result<String> {
    yaml::document(definition)
}

/// For the chart: uninstalling it must not remove every object of the kind.
pub(super) fn kept(definition: &Value) -> anyhow::Result<String> {
    let mut definition = definition.clone();
    let metadata = definition.get_mut("metadata").and_then(Value::as_object_mut);
    let metadata = metadata.context("a definition without metadata")?;
    metadata.insert(
        "annotations".to_owned(),
        json!({ "helm.sh/resource-policy": "keep" }),
    );
    yaml::document(&definition)
}
