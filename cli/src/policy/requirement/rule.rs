//! The rule over the whole call that holds for one call only.

use serde_json::Value;

/// `call.arguments == {"owner": "acme"}`. Nothing for what is no JSON object, or holds a number that an expression can't.
pub(super) fn of_arguments(arguments: &str) -> Option<Value> {
    let arguments: Value = serde_json::from_str(arguments).ok()?;
    let literal = literal(&arguments).filter(|_| arguments.is_object())?;
    Some(format!("call.arguments == {literal}").into())
}

/// A value in the expression language, whose strings are escaped as JSON's are.
fn literal(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null | Value::Bool(_) | Value::String(_) => value.to_string(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => integer.to_string(),
            // Always with a point or an exponent, so that it stays a double.
            (None, Some(float)) if float.is_finite() => format!("{float:?}"),
            _ => return None,
        },
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(literal).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| {
                Some(format!("{}: {}", Value::from(key.as_str()), literal(value)?))
            };
            let fields: Option<Vec<String>> = fields.iter().map(field).collect();
            format!("{{{}}}", fields?.join(", "))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_written_as_an_expression() {
        let rule = of_arguments(r#"{"n": 12, "price": 2.5, "to": ["a\"b", null], "deep": {"ok": true}}"#);
        let expected =
            r#"call.arguments == {"deep": {"ok": true}, "n": 12, "price": 2.5, "to": ["a\"b", null]}"#;
        assert_eq!(rule, Some(expected.into()));
        assert_eq!(of_arguments("[]"), None);
        assert_eq!(of_arguments("no"), None);
    }
}
