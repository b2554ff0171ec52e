//! JSON read so that everybody who reads it sees the same: no key twice in one object, bounded depth.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

const MAX_DEPTH: usize = 32;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads a whole text.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    // Some senders put a byte order mark in front; it says nothing.
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.saturating_add(1);
        if depth > MAX_DEPTH {
            Err(E::custom("nested too deeply"))
        } else {
            Ok(Self { depth })
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut fields = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(inner)?;
            if fields.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice in one object"));
            }
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn ordinary_json_is_read() {
        assert_eq!(
            parse(br#" {"a":[1,-2,1.5,null,true,"x"]} "#).unwrap(),
            json!({ "a": [1, -2, 1.5, null, true, "x"] })
        );
    }

    #[test]
    fn one_byte_order_mark_says_nothing() {
        assert_eq!(parse("\u{feff}{\"a\":1}".as_bytes()).unwrap(), json!({ "a": 1 }));
    }

    #[rstest]
    #[case::twice(r#"{"user":"a","user":"b"}"#)]
    #[case::twice_inside(r#"{"x":[{"a":1,"a":1}]}"#)]
    #[case::twice_by_escape(r#"{"a":1,"\u0061":2}"#)]
    #[case::trailing("{} {}")]
    #[case::two_byte_order_marks("\u{feff}\u{feff}{}")]
    #[case::byte_order_mark_at_the_end("{}\u{feff}")]
    #[case::not_a_number("NaN")]
    #[case::empty("")]
    #[case::deep(&format!("{}{}", "[".repeat(33), "]".repeat(33)))]
    fn ambiguous_json_is_refused(#[case] text: &str) {
        assert!(parse(text.as_bytes()).is_err());
    }
}
