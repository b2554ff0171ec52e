//! JSON with one reading only: what is judged is what is forwarded.
//!
//! Tokens are read by `serde_json`; this module refuses what parsers disagree about: duplicate keys (compared after
//! unescaping, at any depth), trailing data, a byte order mark, deep nesting, numbers that other readers would round, and the key
//! by which `serde_json` itself takes a text for what that text says.

mod number;

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

pub(crate) use self::number::interoperable;

/// Keys that `serde_json` keeps for itself. With its feature `raw_value`, which some crate of a process may turn on, an object
/// `{"$serde_json::private::RawValue": "[1]"}` becomes the list `[1]` where it is read as a [`Value`]: whoever reads the canonical
/// arguments again would find what nobody judged.
const RESERVED: &str = "$serde_json::private::";

/// How large and deep a text may be, and what becomes of its numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The longest text.
    pub(crate) bytes: usize,
    /// How many objects and arrays may be open at once.
    pub(crate) depth: usize,
    /// Which numbers are taken.
    pub(crate) numbers: Numbers,
    /// Whether keys are taken that `serde_json` keeps for itself.
    pub(crate) reserved_keys: bool,
}

/// Which numbers are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Those that every reader keeps exactly. `1.0` and `1e0` become `1`, so that one number has one form.
    Interoperable,
    /// All that fit a 64-bit integer or float, as they are written.
    AsWritten,
}

/// What a tool call's arguments must stay within.
pub(crate) const ARGUMENTS: Limits = Limits {
    bytes: 256 << 10,
    depth: 32,
    numbers: Numbers::Interoperable,
    reserved_keys: false,
};

/// Why a text is not strict JSON.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotStrict(String);

/// Reads exactly one object. Its keys are in the order of their bytes, whatever the order in the text.
pub(crate) fn object(text: &str, limits: Limits) -> Result<Value, NotStrict> {
    if text.len() > limits.bytes {
        return Err(NotStrict(format!(
            "{} bytes are more than the limit of {}",
            text.len(),
            limits.bytes
        )));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let strict = Strict {
        depth: limits.depth,
        numbers: limits.numbers,
        reserved_keys: limits.reserved_keys,
    };
    let value = strict
        .deserialize(&mut reader)
        .map_err(|error| NotStrict(error.to_string()))?;
    reader.end().map_err(|error| NotStrict(error.to_string()))?;
    if limits.numbers == Numbers::Interoperable
        && let Some(token) = number::rounded(text)
    {
        return Err(NotStrict(no_exact_form(token)));
    }
    if value.is_object() {
        Ok(value)
    } else {
        Err(NotStrict("not an object".to_owned()))
    }
}

fn no_exact_form(number: impl fmt::Display) -> String {
    format!("the number {number} has no exact form")
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
    numbers: Numbers,
    reserved_keys: bool,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(E::custom("nested too deeply")),
        }
    }

    fn number<E: serde::de::Error>(self, number: Number) -> Result<Value, E> {
        match self.numbers {
            Numbers::AsWritten => Ok(Value::Number(number)),
            Numbers::Interoperable => interoperable(&number)
                .map(Value::Number)
                .ok_or_else(|| E::custom(no_exact_form(number))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("strict JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.number(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.number(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number is not finite"))?;
        self.number(number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut fields = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !self.reserved_keys && key.starts_with(RESERVED) {
                return Err(A::Error::custom(format!("the key {key:?} is reserved")));
            }
            match fields.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(entries.next_value_seed(inner)?);
                }
                Entry::Occupied(place) => {
                    return Err(A::Error::custom(format!(
                        "the key {:?} occurs twice",
                        place.key()
                    )));
                }
            }
        }
        // So that the re-serialised text never depends on the order that the model chose.
        fields.sort_keys();
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::duplicate_key(r#"{"a":1,"a":1}"#, "twice")]
    #[case::duplicate_key_after_unescaping(r#"{"a":1,"\u0061":2}"#, "twice")]
    #[case::duplicate_key_nested(r#"{"x":[{"y":{"k":1,"k":2}}]}"#, "twice")]
    #[case::raw_value(r#"{"a":{"$serde_json::private::RawValue":"[1]"}}"#, "reserved")]
    #[case::raw_value_after_unescaping(r#"{"a":[{"\u0024serde_json::private::RawValue":"{}"}]}"#, "reserved")]
    #[case::raw_value_outermost(r#"{"$serde_json::private::RawValue":"{}"}"#, "reserved")]
    #[case::raw_value_behind_another_key(
        r#"{"a":{"b":1,"$serde_json::private::RawValue":"{}"}}"#,
        "reserved"
    )]
    #[case::arbitrary_number(r#"{"a":{"$serde_json::private::Number":"1"}}"#, "reserved")]
    #[case::trailing_object(r#"{"a":1}{"a":2}"#, "trailing")]
    #[case::trailing_garbage(r#"{"a":1} x"#, "trailing")]
    #[case::trailing_comma(r#"{"a":1,}"#, "trailing comma")]
    #[case::trailing_nul("{\"a\":1}\0", "trailing")]
    #[case::byte_order_mark("\u{feff}{}", "expected value")]
    #[case::comment("{/* c */}", "key must be a string")]
    #[case::single_quotes("{'a':1}", "key must be a string")]
    #[case::not_a_number(r#"{"a":NaN}"#, "expected value")]
    #[case::infinity(r#"{"a":Infinity}"#, "expected value")]
    #[case::overflow(r#"{"a":1e999}"#, "out of range")]
    #[case::integer_beyond_doubles(r#"{"a":9007199254740993}"#, "no exact form")]
    #[case::integer_beyond_64_bits(r#"{"a":123456789012345678901234567890}"#, "no exact form")]
    #[case::large_float(r#"{"a":1e30}"#, "no exact form")]
    #[case::smaller_than_any(r#"{"a":1e-400}"#, "no exact form")]
    #[case::smaller_than_any_in_long(&format!(r#"{{"a":[0, -0.{}1]}}"#, "0".repeat(400)), "no exact form")]
    #[case::endless_exponent(r#"{"a":1e-99999999999999999999}"#, "no exact form")]
    #[case::almost_the_smallest(r#"{"a":4e-324}"#, "no exact form")]
    #[case::a_little_more_than_one(r#"{"a":{"b":1.00000000000000000001}}"#, "no exact form")]
    #[case::a_little_less_than_one(r#"{"a":0.99999999999999999999}"#, "no exact form")]
    #[case::a_little_more_than_a_tenth(r#"{"a":0.10000000000000000001}"#, "no exact form")]
    #[case::after_a_quote_in_a_text(r#"{"a":"\"","b":1e-400}"#, "no exact form")]
    #[case::leading_zero(r#"{"a":01}"#, "invalid number")]
    #[case::leading_plus(r#"{"a":+1}"#, "expected value")]
    #[case::hexadecimal(r#"{"a":0x10}"#, "expected `,` or `}`")]
    #[case::lone_high_surrogate(r#"{"a":"\ud800"}"#, "hex escape")]
    #[case::lone_low_surrogate(r#"{"a":"\udc00"}"#, "surrogate")]
    #[case::surrogate_in_key(r#"{"\ud800":1}"#, "hex escape")]
    #[case::raw_newline_in_string("{\"a\":\"x\ny\"}", "control character")]
    #[case::array("[]", "not an object")]
    #[case::text("\"{}\"", "not an object")]
    #[case::null("null", "not an object")]
    #[case::nothing("", "EOF")]
    #[case::unfinished(r#"{"a":"#, "EOF")]
    fn refuses(#[case] text: &str, #[case] reason: &str) {
        let error = object(text, ARGUMENTS).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn refuses_depth_and_size() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(object(&nested(31), ARGUMENTS).is_ok());
        assert!(object(&nested(32), ARGUMENTS).is_err());
        assert!(object(&nested(100_000), ARGUMENTS).is_err());
        let sized = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert!(object(&sized(ARGUMENTS.bytes), ARGUMENTS).is_ok());
        assert!(object(&sized(ARGUMENTS.bytes + 1), ARGUMENTS).is_err());
    }

    #[rstest]
    #[case(r#"{"b":1,"a":{"d":1,"c":2}}"#, r#"{"a":{"c":2,"d":1},"b":1}"#)]
    #[case(r#"{"a":1.0}"#, r#"{"a":1}"#)]
    #[case(r#"{"a":1e2}"#, r#"{"a":100}"#)]
    #[case(r#"{"a":-0}"#, r#"{"a":0}"#)]
    #[case(r#"{"a":-0.0}"#, r#"{"a":0}"#)]
    #[case(r#"{"a":0e-400}"#, r#"{"a":0}"#)]
    #[case(r#"{"a":0.10}"#, r#"{"a":0.1}"#)]
    #[case(r#"{"a":[1.50e2,0.00025E4]}"#, r#"{"a":[150,2.5]}"#)]
    #[case(r#"{"a":"1e-400"}"#, r#"{"a":"1e-400"}"#)]
    #[case(r#"{"1e-400":"\"1e-400"}"#, r#"{"1e-400":"\"1e-400"}"#)]
    #[case(r#"{"a":5e-324}"#, r#"{"a":5e-324}"#)]
    #[case(r#"{"a":1.7976931348623157e-300}"#, r#"{"a":1.7976931348623157e-300}"#)]
    #[case(r#"{"a":0.1}"#, r#"{"a":0.1}"#)]
    #[case(r#"{"a":9007199254740991}"#, r#"{"a":9007199254740991}"#)]
    #[case(r#"{"\u0061":"\u00e9\ud83d\ude00"}"#, "{\"a\":\"é😀\"}")]
    #[case(" {} ", "{}")]
    fn has_one_form(#[case] text: &str, #[case] form: &str) {
        let value = object(text, ARGUMENTS).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), form);
        assert_eq!(object(form, ARGUMENTS).unwrap(), value);
    }

    #[test]
    fn keeps_case_variants_of_a_key_apart() {
        assert_eq!(
            object(r#"{"Repo":1,"repo":2}"#, ARGUMENTS).unwrap(),
            json!({"Repo": 1, "repo": 2})
        );
    }
}
