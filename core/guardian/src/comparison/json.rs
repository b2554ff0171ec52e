//! Where two JSON values differ, for people.

use serde_json::Value;

use crate::fault::excerpt;

/// How many differences are told one by one.
const TOLD: usize = 6;
/// How much of one value is shown.
const SHOWN: usize = 120;

/// Each place where the values differ, with what was there and what is: `baseUrl: "https://a" → "https://b"`.
pub fn differences(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(old, new, "", &mut found);
    let more = found.len().saturating_sub(TOLD);
    found.truncate(TOLD);
    if more > 0 {
        found.push(format!("and {more} more"));
    }
    found
}

/// [`differences`] as one text.
pub(super) fn told(old: &Value, new: &Value) -> String {
    differences(old, new).join(", ")
}

fn collect(old: &Value, new: &Value, path: &str, found: &mut Vec<String>) {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        if old != new {
            let place = if path.is_empty() {
                String::new()
            } else {
                format!("{path}: ")
            };
            found.push(format!("{place}{} → {}", shown(old), shown(new)));
        }
        return;
    };
    for (key, value) in before {
        let path = joined(path, key);
        match after.get(key) {
            Some(other) => collect(value, other, &path, found),
            None => found.push(format!("{path}: {} → absent", shown(value))),
        }
    }
    for (key, value) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
        found.push(format!("{}: absent → {}", joined(path, key), shown(value)));
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// As JSON, cut where it is long.
fn shown(value: &Value) -> String {
    excerpt(&value.to_string(), SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_place_is_told_once() {
        let old = json!({"url": "https://a", "deep": {"n": 1, "same": true}, "gone": null});
        let new = json!({"url": "https://b", "deep": {"n": 2, "same": true}, "more": []});
        assert_eq!(
            differences(&old, &new),
            [
                "deep.n: 1 → 2",
                "gone: null → absent",
                "url: \"https://a\" → \"https://b\"",
                "more: absent → []"
            ]
        );
    }

    #[test]
    fn much_is_cut() {
        let of = |n: u32| -> Value {
            (0..20)
                .map(|key| (key.to_string(), json!(n)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let found = differences(&of(1), &of(2));
        assert_eq!((found.len(), found[6].as_str()), (7, "and 14 more"));
        assert!(shown(&json!("é".repeat(500))).chars().count() < 130);
    }
}
