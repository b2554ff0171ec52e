//! What both dialects' requests have in common: further fields, effort, the room for an answer.

use monstrum_wire::policy::{Generation, Model, RequestShape};
use serde_json::{Map, Value, json};

/// The model's request shape; the dialect's own where the policy names none.
pub(super) fn shape(model: &Model) -> RequestShape {
    model.request.clone().unwrap_or_default()
}

/// How the bot wants the model to answer.
pub(super) fn generation(model: &Model) -> Generation {
    model.generation.clone().unwrap_or_default()
}

/// A body with the further fields that the policy names. Whatever is inserted after them replaces them.
pub(super) fn body(shape: &RequestShape) -> Map<String, Value> {
    match serde_json::from_str(&shape.extra_body_json) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// Inserts what is there.
pub(super) fn set(body: &mut Map<String, Value>, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), json!(value));
    }
}

/// The host that the model is served by.
pub(super) fn host(base_url: &str) -> Option<String> {
    let url = reqwest::Url::parse(base_url).ok()?;
    url.host_str().map(str::to_owned)
}
