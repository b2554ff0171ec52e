//! `Exact` and `Enum`: literals, type-strict.

use serde_json::Value;

use super::{NotCanonical, PatternFault};
use crate::strict_json;

/// How many values of a list are told.
const TOLD: usize = 20;

/// A string, number or boolean as it is.
pub(super) fn read(value: &Value) -> Result<Value, NotCanonical> {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(value.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err("is not a string, number or boolean".into()),
    }
}

/// Like [`read`], and one of the values that exist.
pub(super) fn read_one_of(value: &Value, values: &[Value]) -> Result<Value, NotCanonical> {
    let value = read(value)?;
    if values.iter().any(|known| literal(known).as_ref() == Ok(&value)) {
        Ok(value)
    } else {
        Err("is not one of the values that exist".into())
    }
}

/// A literal, its number in the form that arguments have after parsing.
pub(super) fn literal(pattern: &Value) -> Result<Value, PatternFault> {
    match pattern {
        Value::String(_) | Value::Bool(_) => Ok(pattern.clone()),
        Value::Number(number) => strict_json::interoperable(number)
            .map(Value::Number)
            .ok_or_else(|| format!("{number} has no exact form; write it as a string if the tool takes one")),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(format!("{pattern} is not a string, number or boolean"))
        }
    }
}

/// Like [`literal`], and one of the values that exist.
pub(super) fn literal_of(pattern: &Value, values: &[Value]) -> Result<Value, PatternFault> {
    let value = literal(pattern)?;
    if values.iter().any(|known| literal(known).as_ref() == Ok(&value)) {
        return Ok(value);
    }
    let known: Vec<_> = values.iter().take(TOLD).map(Value::to_string).collect();
    let more = if values.len() > TOLD { ", …" } else { "" };
    Err(format!(
        "{pattern} is none of the dimension's values: {}{more}",
        known.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::matching::{Canonical, Pattern};
    use crate::source::Match;

    #[rstest]
    #[case::string(json!("a"), json!("a"), true)]
    #[case::whole_number(json!(1.0), json!(1), true)]
    #[case::boolean(json!(true), json!(true), true)]
    #[case::number_as_string(json!(1), json!("1"), false)]
    #[case::string_as_number(json!("1"), json!(1), false)]
    #[case::boolean_as_string(json!(true), json!("true"), false)]
    #[case::boolean_as_number(json!(true), json!(1), false)]
    #[case::case(json!("a"), json!("A"), false)]
    #[case::trailing_space(json!("a"), json!("a "), false)]
    #[case::star_is_no_wildcard(json!("*"), json!("a"), false)]
    #[case::kelvin_sign(json!("k"), json!("\u{212a}"), false)]
    #[case::decomposed(json!("\u{e9}"), json!("e\u{301}"), false)]
    fn compares_types_strictly(#[case] pattern: Value, #[case] value: Value, #[case] expected: bool) {
        let pattern = Pattern::compile(&Match::Exact {}, &pattern).unwrap();
        let value = Canonical::read(&Match::Exact {}, &value).unwrap();
        assert_eq!(pattern.matches(&value), expected);
    }

    #[rstest]
    #[case(json!(null))]
    #[case(json!(["a"]))]
    #[case(json!({"a": 1}))]
    fn refuses_what_is_no_scalar(#[case] value: Value) {
        assert!(read(&value).is_err());
        assert!(literal(&value).is_err());
    }

    #[test]
    fn an_enumeration_is_closed() {
        let values = [json!("open"), json!("closed"), json!(1)];
        assert!(
            literal_of(&json!("opened"), &values)
                .unwrap_err()
                .contains("\"open\", \"closed\"")
        );
        assert!(literal_of(&json!(1.0), &values).is_ok());
        assert!(read_one_of(&json!("Open"), &values).is_err());
        assert!(read_one_of(&json!("open"), &values).is_ok());
    }
}
