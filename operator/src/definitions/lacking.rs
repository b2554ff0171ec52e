//! Which fields one schema knows and another does not. Pure.

use serde_json::Value;

/// The paths of the fields of `needed` that `installed` would drop.
pub(super) fn lacking(needed: &Value, installed: &Value) -> Vec<String> {
    let mut missing = Vec::new();
    compare("", needed, installed, &mut missing);
    missing
}

fn compare(at: &str, needed: &Value, installed: &Value, missing: &mut Vec<String>) {
    if installed.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
        return;
    }
    let fields = needed.get("properties").and_then(Value::as_object);
    for (name, field) in fields.into_iter().flatten() {
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        match installed.get("properties").and_then(|fields| fields.get(name)) {
            Some(there) => compare(&path, field, there, missing),
            None => missing.push(path),
        }
    }
    for (key, suffix) in [("items", "[]"), ("additionalProperties", ".*")] {
        if let (Some(needed), Some(there)) = (needed.get(key), installed.get(key)) {
            compare(&format!("{at}{suffix}"), needed, there, missing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::the_same(json!({"properties": {"a": {}}}), json!({"properties": {"a": {}}}), &[])]
    #[case::newer(json!({"properties": {"a": {}}}), json!({"properties": {"a": {}, "b": {}}}), &[])]
    #[case::older(json!({"properties": {"a": {}, "b": {}}}), json!({"properties": {"a": {}}}), &["b"])]
    #[case::within(
        json!({"properties": {"a": {"properties": {"b": {}}}}}), json!({"properties": {"a": {"properties": {}}}}), &["a.b"]
    )]
    #[case::in_a_list(
        json!({"properties": {"a": {"items": {"properties": {"b": {}}}}}}),
        json!({"properties": {"a": {"items": {"properties": {}}}}}), &["a[].b"]
    )]
    #[case::in_a_map(
        json!({"additionalProperties": {"properties": {"b": {}}}}), json!({"additionalProperties": {"properties": {}}}), &[".*.b"]
    )]
    #[case::anything_goes(
        json!({"properties": {"a": {}}}), json!({"x-kubernetes-preserve-unknown-fields": true}), &[]
    )]
    fn what_would_be_dropped_is_named(
        #[case] needed: Value,
        #[case] installed: Value,
        #[case] expected: &[&str],
    ) {
        assert_eq!(lacking(&needed, &installed), expected);
    }
}
