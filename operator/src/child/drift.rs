//! Whether an object still is what we made it.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The annotation with the digest of what was last applied.
pub(crate) const APPLIED: &str = "monstrum.dev/applied";

/// Quantities come back in another notation, so that only the digest speaks for them.
const QUANTITIES: [&str; 3] = ["requests", "limits", "sizeLimit"];

/// What we say of an object, with its digest among the annotations.
pub(crate) fn with_digest(object: &Value) -> Value {
    let digest = digest(object);
    let mut object = object.clone();
    let annotations = object
        .as_object_mut()
        .map(|object| {
            object
                .entry("metadata")
                .or_insert_with(|| Value::Object(Map::new()))
        })
        .and_then(Value::as_object_mut)
        .map(|metadata| {
            metadata
                .entry("annotations")
                .or_insert_with(|| Value::Object(Map::new()))
        })
        .and_then(Value::as_object_mut);
    if let Some(annotations) = annotations {
        annotations.insert(APPLIED.to_owned(), Value::String(digest));
    }
    object
}

/// Whether `live` was made from exactly `desired`, and still says all of it.
pub(crate) fn is_current(desired: &Value, live: &Value) -> bool {
    let applied = live
        .pointer("/metadata/annotations/monstrum.dev~1applied")
        .and_then(Value::as_str);
    applied == Some(digest(desired).as_str()) && says(desired, live)
}

fn digest(object: &Value) -> String {
    // serde_json keeps maps in the order of their keys, so that equal objects have equal texts.
    hex::encode(Sha256::digest(object.to_string()))
}

/// Whether `live` says all that `desired` says. More fields are the API server's defaults; more elements are not.
fn says(desired: &Value, live: &Value) -> bool {
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => desired.iter().all(|(key, value)| {
            QUANTITIES.contains(&key.as_str())
                || live
                    .get(key)
                    .map_or_else(|| is_nothing(value), |live| says(value, live))
        }),
        (Value::Array(desired), Value::Array(live)) => {
            desired.len() == live.len()
                && desired
                    .iter()
                    .zip(live)
                    .all(|(desired, live)| says(desired, live))
        }
        (desired, live) => desired == live,
    }
}

/// What the API server leaves out.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Server-side apply takes a null for a wish to remove.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, without_nulls(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn desired() -> Value {
        json!({"metadata": {"name": "a"}, "spec": {"replicas": 1, "empty": {}, "containers": [
            {"name": "c", "image": "i", "resources": {"requests": {"cpu": "0.5"}}}]}})
    }

    fn live(change: impl FnOnce(&mut Value)) -> Value {
        let mut live = with_digest(&desired());
        live["spec"]["containers"][0]["terminationMessagePath"] = json!("/dev/termination-log");
        live["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!("500m");
        live["spec"].as_object_mut().unwrap().remove("empty");
        live["status"] = json!({"readyReplicas": 1});
        change(&mut live);
        live
    }

    #[test]
    fn defaults_and_other_notations_are_no_drift() {
        assert!(is_current(&desired(), &live(|_| {})));
    }

    #[rstest]
    #[case::value(|live: &mut Value| live["spec"]["replicas"] = json!(3))]
    #[case::image(|live: &mut Value| live["spec"]["containers"][0]["image"] = json!("evil"))]
    #[case::one_container_more(|live: &mut Value| live["spec"]["containers"].as_array_mut().unwrap().push(json!({})))]
    #[case::removed(|live: &mut Value| { live["spec"].as_object_mut().unwrap().remove("replicas"); })]
    #[case::digest(|live: &mut Value| live["metadata"]["annotations"][APPLIED] = json!("other"))]
    fn a_change_of_what_we_wrote_is_drift(#[case] change: fn(&mut Value)) {
        assert!(!is_current(&desired(), &live(change)));
    }

    #[test]
    fn a_field_that_is_no_longer_wished_for_is_drift() {
        let mut less = desired();
        less["spec"].as_object_mut().unwrap().remove("replicas");
        assert!(!is_current(&less, &live(|_| {})));
    }
}
