//! YAML with sorted keys, whatever order the JSON library keeps.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::MARK;

/// A marked YAML document.
pub(super) fn document(value: &Value) -> anyhow::Result<String> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(&sorted(value), options).context("can't write YAML")?;
    let read: Value = serde_saphyr::from_str(&text).context("can't read the YAML that was written")?;
    ensure!(
        sorted(&read) == sorted(value),
        "YAML does not read back as it was written"
    );
    // Helm would take it for a template.
    ensure!(!text.contains("{{"), "a definition contains '{{{{'");
    Ok(format!(
        "# {MARK}. Change the Rust types in crds/src/kinds instead.\n{text}"
    ))
}

/// The same value with the keys of every object in order.
pub(super) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(entries) => {
            let mut names: Vec<_> = entries.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            Value::Object(
                names
                    .into_iter()
                    .map(|(name, entry)| (name.clone(), sorted(entry)))
                    .collect(),
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
