//! `Range`: numbers, durations and byte sizes against intervals. Both ends of an interval belong to it.
//!
//! Patterns: `1..50`, `..5m`, `64Ki..`, a single value, or the same as an object, `{min: 1, max: 50}`.

use serde_json::{Number, Value};

use super::{NotCanonical, PatternFault};
use crate::source::Unit;

/// The largest float below which every whole number is exact.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

const DURATIONS: [(&str, f64); 5] = [
    ("d", 86_400.0),
    ("h", 3_600.0),
    ("m", 60.0),
    ("s", 1.0),
    ("ms", 0.001),
];

const SIZES: [(&str, f64); 12] = [
    ("Ki", 1_024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("k", 1e3),
    ("K", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("", 1.0),
];

/// A value in its base unit: a plain number, seconds, or bytes.
pub(super) fn read(value: &Value, unit: Unit) -> Result<f64, NotCanonical> {
    match (value, unit) {
        (Value::Number(number), _) => {
            let number = number.as_f64().ok_or("is not a number that can be compared")?;
            if unit != Unit::Number && number < 0.0 {
                return Err("is negative".into());
            }
            Ok(number)
        }
        (Value::String(text), Unit::Duration) => {
            duration(text).ok_or_else(|| "is not a duration such as 90s or 1h30m".into())
        }
        (Value::String(text), Unit::Bytes) => {
            bytes(text).ok_or_else(|| "is not a byte size such as 64Ki or 10M".into())
        }
        _ => Err("is not a number".into()),
    }
}

/// A canonical number as JSON.
pub(crate) fn number(number: f64) -> Value {
    let exact =
        Number::from_f64(number).map(|float| crate::strict_json::interoperable(&float).unwrap_or(float));
    exact.map_or(Value::Null, Value::Number)
}

/// `1h30m`: whole numbers with units, the larger unit first, each at most once.
fn duration(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut rest = text;
    let mut smallest = f64::INFINITY;
    while !rest.is_empty() {
        let (amount, tail) = digits(rest)?;
        let letters = tail.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(tail.len());
        let (name, tail) = tail.split_at_checked(letters)?;
        let (_, seconds) = DURATIONS.iter().find(|(known, _)| *known == name)?;
        if *seconds >= smallest {
            return None;
        }
        smallest = *seconds;
        total += amount * seconds;
        rest = tail;
    }
    (smallest.is_finite() && total <= MAX_EXACT).then_some(total)
}

/// `64Ki`: a whole number with a suffix as in Kubernetes quantities.
fn bytes(text: &str) -> Option<f64> {
    let (amount, suffix) = digits(text)?;
    let (_, factor) = SIZES.iter().find(|(known, _)| *known == suffix)?;
    let total = amount * factor;
    (total <= MAX_EXACT).then_some(total)
}

/// The whole number at the beginning, in plain digits.
fn digits(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, tail) = text.split_at_checked(end)?;
    // Fifteen digits are exact in a float.
    if number.is_empty() || number.len() > 15 {
        return None;
    }
    number.parse().ok().map(|number| (number, tail))
}

/// A closed interval, open where an end is missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    min: f64,
    max: f64,
}

impl Interval {
    pub(super) fn compile(pattern: &Value, unit: Unit) -> Result<Self, PatternFault> {
        let (min, max) = match pattern {
            Value::String(text) => match text.split_once("..") {
                Some((min, max)) => (bound(min, unit)?, bound(max, unit)?),
                None => (bound(text, unit)?, bound(text, unit)?),
            },
            Value::Object(map) => {
                if let Some(key) = map.keys().find(|key| !matches!(key.as_str(), "min" | "max")) {
                    return Err(format!("{key} is neither min nor max"));
                }
                let end = |key: &str| map.get(key).map(|value| exact(value, unit)).transpose();
                (end("min")?, end("max")?)
            }
            value => (Some(exact(value, unit)?), Some(exact(value, unit)?)),
        };
        if min.is_none() && max.is_none() {
            return Err("the interval has no end; write for example 1..50".to_owned());
        }
        let interval = Self {
            min: min.unwrap_or(f64::NEG_INFINITY),
            max: max.unwrap_or(f64::INFINITY),
        };
        if interval.min > interval.max {
            return Err(format!(
                "the interval {pattern} is empty; write the smaller end first"
            ));
        }
        Ok(interval)
    }

    /// Both ends, which belong to it unless they are infinite.
    pub(crate) fn ends(self) -> (f64, f64) {
        (self.min, self.max)
    }

    pub(super) fn contains(self, number: f64) -> bool {
        self.min <= number && number <= self.max
    }
}

/// One end of `a..b`; none if nothing is written there.
fn bound(text: &str, unit: Unit) -> Result<Option<f64>, PatternFault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let value = match serde_json::from_str::<Value>(text) {
        Ok(value @ Value::Number(_)) => value,
        _ => Value::String(text.to_owned()),
    };
    exact(&value, unit).map(Some)
}

fn exact(value: &Value, unit: Unit) -> Result<f64, PatternFault> {
    let number = read(value, unit).map_err(|fault| format!("{value} {fault}"))?;
    if number.abs() <= MAX_EXACT {
        Ok(number)
    } else {
        Err(format!("{value} is too large to be exact"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(Unit::Number, json!("1..50"), json!(50), true)]
    #[case(Unit::Number, json!("1..50"), json!(51), false)]
    #[case(Unit::Number, json!("1..50"), json!(0), false)]
    #[case(Unit::Number, json!("-5..-1"), json!(-3), true)]
    #[case(Unit::Number, json!("0.5.."), json!(0.4), false)]
    #[case(Unit::Number, json!("..10"), json!(-1e9), true)]
    #[case(Unit::Number, json!({"min": 1, "max": 50}), json!(7), true)]
    #[case(Unit::Number, json!(7), json!(7), true)]
    #[case(Unit::Number, json!(7), json!(8), false)]
    #[case(Unit::Number, json!("..9007199254740991"), json!(9_007_199_254_740_991_i64), true)]
    #[case(Unit::Duration, json!("..5m"), json!("5m"), true)]
    #[case(Unit::Duration, json!("..5m"), json!("301s"), false)]
    #[case(Unit::Duration, json!("..5m"), json!(300), true)]
    #[case(Unit::Duration, json!("1h30m"), json!(5400), true)]
    #[case(Unit::Bytes, json!("..64Ki"), json!("65536"), true)]
    #[case(Unit::Bytes, json!("..64Ki"), json!("65537"), false)]
    #[case(Unit::Bytes, json!("1M.."), json!("1Mi"), true)]
    fn compares(#[case] unit: Unit, #[case] pattern: Value, #[case] value: Value, #[case] expected: bool) {
        let interval = Interval::compile(&pattern, unit).unwrap();
        assert_eq!(interval.contains(read(&value, unit).unwrap()), expected);
    }

    #[rstest]
    #[case::number_as_string(Unit::Number, json!("7"))]
    #[case::null(Unit::Number, json!(null))]
    #[case::array(Unit::Number, json!([7]))]
    #[case::boolean(Unit::Number, json!(true))]
    #[case::no_unit(Unit::Duration, json!("90"))]
    #[case::unknown_unit(Unit::Duration, json!("5y"))]
    #[case::smaller_unit_first(Unit::Duration, json!("30m1h"))]
    #[case::unit_twice(Unit::Duration, json!("1m1m"))]
    #[case::sign(Unit::Duration, json!("-5m"))]
    #[case::negative_number(Unit::Duration, json!(-5))]
    #[case::space(Unit::Duration, json!("5 m"))]
    #[case::capital(Unit::Duration, json!("5M"))]
    #[case::infinite(Unit::Duration, json!("inf"))]
    #[case::empty(Unit::Duration, json!(""))]
    #[case::fraction(Unit::Bytes, json!("1.5Gi"))]
    #[case::milli(Unit::Bytes, json!("5m"))]
    #[case::exponent(Unit::Bytes, json!("1e9"))]
    #[case::overflow(Unit::Bytes, json!("999999999999999Pi"))]
    #[case::fullwidth_digits(Unit::Bytes, json!("１"))]
    fn refuses(#[case] unit: Unit, #[case] value: Value) {
        assert!(read(&value, unit).is_err());
    }

    #[rstest]
    #[case(json!(".."))]
    #[case(json!("50..1"))]
    #[case(json!("a..b"))]
    #[case(json!("1..2..3"))]
    #[case(json!({"minimum": 1}))]
    #[case(json!({}))]
    #[case(json!("<5"))]
    #[case(json!(null))]
    fn refuses_patterns(#[case] pattern: Value) {
        assert!(Interval::compile(&pattern, Unit::Number).is_err());
    }
}
