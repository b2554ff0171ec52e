//! JSON Pointers (RFC 6901), unescaped once.

use serde_json::Value;

/// A pointer that does not lead to the whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    /// As it is written.
    text: String,
    /// Unescaped.
    tokens: Vec<String>,
}

impl Pointer {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some(tokens) = text.strip_prefix('/') else {
            return Err(format!(
                "{text:?} is not a JSON Pointer; write for example /owner"
            ));
        };
        let escapes_well = text.split('~').skip(1).all(|tail| tail.starts_with(['0', '1']));
        if !escapes_well {
            return Err(format!("{text:?} has a ~ that is not ~0 or ~1"));
        }
        Ok(Self {
            text: text.to_owned(),
            tokens: tokens
                .split('/')
                .map(|token| token.replace("~1", "/").replace("~0", "~"))
                .collect(),
        })
    }

    /// As it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The part of a value that it leads to.
    pub(super) fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.tokens.iter().try_fold(value, |value, token| match value {
            Value::Object(fields) => fields.get(token),
            Value::Array(items) => items.get(place(token)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }

    /// Like [`Pointer::of`].
    pub(super) fn of_mut<'a>(&self, value: &'a mut Value) -> Option<&'a mut Value> {
        self.tokens.iter().try_fold(value, |value, token| match value {
            Value::Object(fields) => fields.get_mut(token),
            Value::Array(items) => items.get_mut(place(token)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }
}

/// A place in an array: digits without a leading zero.
fn place(token: &str) -> Option<usize> {
    let plain = token == "0" || !token.starts_with(['0', '+']);
    plain.then(|| token.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// The same places as those that `serde_json` finds.
    #[rstest]
    #[case("/a")]
    #[case("/b/c")]
    #[case("/b/d")]
    #[case("/list/1")]
    #[case("/list/01")]
    #[case("/list/+1")]
    #[case("/list/0")]
    #[case("/list/00")]
    #[case("/list/2")]
    #[case("/list/-")]
    #[case("/list/1/x")]
    #[case("/x~1y")]
    #[case("/x~0y")]
    #[case("/x~01y")]
    #[case("/")]
    #[case("/a/")]
    #[case("/none")]
    fn leads_where_the_standard_says(#[case] text: &str) {
        let mut value = json!({
            "a": 1, "b": {"c": [2]}, "list": [3, {"x": 4}], "x/y": 5, "x~y": 6, "x~1y": 7, "": 8
        });
        let pointer = Pointer::parse(text).unwrap();
        assert_eq!(pointer.of(&value), value.pointer(text));
        let expected = value.pointer(text).cloned();
        assert_eq!(pointer.of_mut(&mut value).cloned(), expected);
    }

    #[rstest]
    #[case("")]
    #[case("a")]
    #[case("/a~")]
    #[case("/a~2")]
    fn refuses(#[case] text: &str) {
        assert!(Pointer::parse(text).is_err());
    }
}
