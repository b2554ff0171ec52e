//! Reading the settings of an instance.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Fault;

/// Settings as an executor's type, or the first thing that keeps them from being read.
pub fn read<T: DeserializeOwned>(settings: &Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(settings).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "" } else { &path };
        let message = error.inner().to_string();
        match missing(&message) {
            Some(field) if path.is_empty() => Fault::new(field, "is missing: set it"),
            Some(field) => Fault::new(format!("{path}.{field}"), "is missing: set it"),
            None => Fault::new(path, format!("is not what the executor takes: {message}")),
        }
    })
}

/// The field that serde misses; it says so in words only.
fn missing(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.split('`').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        a: Inner,
        #[serde(default)]
        list: Vec<u16>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        b: bool,
    }

    #[rstest]
    #[case::missing(json!({}), "a", "missing")]
    #[case::missing_below(json!({ "a": {} }), "a.b", "missing")]
    #[case::unknown(json!({ "a": {"b": true}, "c": 1 }), "c", "unknown field")]
    #[case::unknown_below(json!({ "a": {"b": true, "c": 1} }), "a.c", "unknown field")]
    #[case::kind(json!({ "a": {"b": 1} }), "a.b", "boolean")]
    #[case::in_a_list(json!({ "a": {"b": true}, "list": [1, 65_536] }), "list[1]", "u16")]
    #[case::no_object(json!(7), "", "Outer")]
    fn the_field_is_named(#[case] settings: Value, #[case] field: &str, #[case] words: &str) {
        let fault = read::<Outer>(&settings).unwrap_err();
        assert_eq!(fault.field, field);
        assert!(fault.message.contains(words), "{}", fault.message);
    }
}
