//! What a scalar means, by the rules of `sigs.k8s.io/yaml`.

use serde_json::Number;

use crate::files::node::Kind;

/// Above this, a float leaves whole numbers out.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What a scalar is, and what to say about it.
#[derive(Debug)]
pub(super) struct Meaning {
    /// What it is.
    pub(super) kind: Kind,
    /// What a person should know who wrote it in an object of ours.
    pub(super) remark: Option<String>,
}

/// The types that a tag can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Text,
    Bool,
    Int,
    Float,
    Null,
}

impl Tag {
    /// Of a name in YAML's own namespace.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "str" => Self::Text,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "null" => Self::Null,
            _ => return None,
        })
    }
}

/// What a tagged scalar means; where its text has not the tag's type, what to do.
pub(super) fn tagged(tag: Tag, text: &str) -> Result<Meaning, String> {
    if tag == Tag::Text {
        return Ok(plainly(Kind::Text(text.to_owned())));
    }
    let meaning = plain(text)?;
    let fits = match (tag, &meaning.kind) {
        (Tag::Bool, Kind::Bool(_)) | (Tag::Null, Kind::Null) | (Tag::Float, Kind::Number(_)) => true,
        (Tag::Int, Kind::Number(_)) => integer(&text.replace('_', "")).is_some(),
        _ => false,
    };
    fits.then_some(meaning)
        .ok_or_else(|| "remove the tag, or write a value of its type".to_owned())
}

/// What a scalar without quotes or tag means.
pub(super) fn plain(text: &str) -> Result<Meaning, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(plainly(Kind::Null)),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Ok(plainly(Kind::Bool(true)));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Ok(plainly(Kind::Bool(false)));
        }
        _ => {}
    }
    if is_not_finite(text) {
        return Err("JSON has no such number; write a text in quotes".to_owned());
    }
    match text.bytes().next() {
        Some(b'0'..=b'9' | b'+' | b'-') => Ok(number(text)),
        // A number that begins with its point has underscores between digits alone.
        Some(b'.') if divides_digits(text) => Ok(float(text, &text.replace('_', ""))),
        _ => Ok(plainly(Kind::Text(text.to_owned()))),
    }
}

fn divides_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |place: Option<usize>| {
        place
            .and_then(|place| bytes.get(place))
            .is_some_and(u8::is_ascii_digit)
    };
    let mut underscores = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    underscores.all(|(place, _)| is_digit(place.checked_sub(1)) && is_digit(place.checked_add(1)))
}

fn plainly(kind: Kind) -> Meaning {
    Meaning { kind, remark: None }
}

fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// A text that begins with a digit or a sign. Underscores are dropped wherever they stand.
fn number(text: &str) -> Meaning {
    let digits = text.replace('_', "");
    match integer(&digits) {
        Some(Integer::Fits(value)) => Meaning {
            remark: is_misleading(&digits, value).then(|| {
                let wanted = octal(&digits);
                format!("{text} is read as {value}: write {wanted} or \"{text}\"")
            }),
            kind: Kind::Number(value.into()),
        },
        Some(Integer::Exceeds(value)) => Meaning {
            kind: real(value),
            remark: Some(too_long(text)),
        },
        None => float(text, &digits),
    }
}

enum Integer {
    Fits(i64),
    /// It needs 64 bits without a sign, and becomes a float.
    Exceeds(f64),
}

/// An integer in any of the bases that Go's literals have.
fn integer(digits: &str) -> Option<Integer> {
    let (sign, unsigned) = match digits.strip_prefix(['+', '-']) {
        Some(rest) => (digits.get(..1)?, rest),
        None => ("", digits),
    };
    if !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (base, body) = base_of(unsigned);
    // A second sign is none.
    if !body.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return binary_with_inner_sign(digits);
    }
    if let Ok(value) = i64::from_str_radix(&format!("{sign}{body}"), base) {
        return Some(Integer::Fits(value));
    }
    let value = u64::from_str_radix(body, base).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "that is what becomes of it")]
    let real = value as f64;
    sign.is_empty().then_some(Integer::Exceeds(real))
}

fn base_of(unsigned: &str) -> (u32, &str) {
    for (prefixes, base) in [(["0x", "0X"], 16), (["0o", "0O"], 8), (["0b", "0B"], 2)] {
        if let Some(body) = prefixes.iter().find_map(|prefix| unsigned.strip_prefix(prefix)) {
            return (base, body);
        }
    }
    match unsigned.strip_prefix('0') {
        Some(body) if !body.is_empty() => (8, body),
        _ => (10, unsigned),
    }
}

/// `0b-1` is minus one there.
fn binary_with_inner_sign(digits: &str) -> Option<Integer> {
    let body = digits.strip_prefix("0b")?;
    i64::from_str_radix(body, 2).ok().map(Integer::Fits)
}

/// Whether a leading zero makes another number of the digits than they seem to be.
fn is_misleading(digits: &str, value: i64) -> bool {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'+' || byte == b'-')
        && digits.parse() != Ok(value)
}

/// `017` as `0o17`.
fn octal(digits: &str) -> String {
    match digits.strip_prefix('-') {
        Some(rest) => format!("-0o{}", rest.trim_start_matches('0')),
        None => format!("0o{}", digits.trim_start_matches(['+', '0'])),
    }
}

/// A decimal fraction, or a text.
fn float(text: &str, digits: &str) -> Meaning {
    if !is_decimal(digits) {
        return plainly(Kind::Text(text.to_owned()));
    }
    let value: f64 = digits.parse().unwrap_or(f64::INFINITY);
    if !value.is_finite() {
        return Meaning {
            kind: Kind::Text(text.to_owned()),
            remark: Some(format!(
                "{text} is too large for a number and read as a text: write \"{text}\""
            )),
        };
    }
    let is_whole = !digits.contains(['.', 'e', 'E']);
    let remark = if value == 0.0 && has_digits(digits) {
        Some(format!(
            "{text} is too small for a number and read as 0: write \"{text}\""
        ))
    } else if is_whole && value.abs() > EXACT {
        Some(too_long(text))
    } else {
        None
    };
    Meaning {
        kind: real(value),
        remark,
    }
}

/// Whether the mantissa is not zero.
fn has_digits(digits: &str) -> bool {
    let mantissa = digits.split(['e', 'E']).next().unwrap_or(digits);
    mantissa.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

fn too_long(text: &str) -> String {
    format!("{text} does not fit into 64 bits and loses digits: write \"{text}\"")
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(digits: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_fits =
        exponent.is_none_or(|exponent| is_number(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => is_number(fraction),
        Some((whole, fraction)) => is_number(whole) && (fraction.is_empty() || is_number(fraction)),
        None => is_number(mantissa),
    };
    mantissa_fits && exponent_fits
}

/// A float as it comes out of the JSON in between, which is its shortest digits: whole ones of 64 bits are integers again.
fn real(value: f64) -> Kind {
    match value.to_string().parse::<i64>() {
        Ok(whole) => Kind::Number(whole.into()),
        Err(_) => Number::from_f64(value).map_or(Kind::Null, Kind::Number),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::files::node::{Node, Place};

    fn value(kind: Kind) -> Value {
        Node::new(Place::default(), kind).to_value()
    }

    #[rstest]
    #[case("017", json!(15), Some("write 0o17 or \"017\""))]
    #[case("0777", json!(511), Some("write 0o777"))]
    #[case("-017", json!(-15), Some("write -0o17"))]
    #[case("007", json!(7), None)]
    #[case("08", json!(8), None)]
    #[case("0o17", json!(15), None)]
    #[case("1__0", json!(10), None)]
    #[case("685_230.15", json!(685_230.15), None)]
    #[case("0b1", json!(1), None)]
    #[case("0x_1F", json!(31), None)]
    #[case("1:30", json!("1:30"), None)]
    #[case("1e3", json!(1000), None)]
    #[case("1.0", json!(1), None)]
    #[case("1e400", json!("1e400"), Some("too large"))]
    #[case("1e-400", json!(0), Some("too small"))]
    #[case("9223372036854775807", json!(i64::MAX), None)]
    #[case("9223372036854775808", json!(9_223_372_036_854_775_808.0), Some("64 bits"))]
    #[case("99999999999999999999", json!(1e20), Some("64 bits"))]
    #[case("-9223372036854775809", json!(-9_223_372_036_854_775_808.0), Some("64 bits"))]
    #[case("2001-01-01", json!("2001-01-01"), None)]
    #[case("yes", json!(true), None)]
    #[case("No", json!(false), None)]
    #[case("nO", json!("nO"), None)]
    #[case("~", json!(null), None)]
    #[case("-", json!("-"), None)]
    #[case(".5", json!(0.5), None)]
    #[case(".1_0", json!(0.1), None)]
    #[case("._1", json!("._1"), None)]
    #[case("4611686018427387904.0", json!(4_611_686_018_427_388_000_i64), None)]
    fn reads(#[case] text: &str, #[case] expected: Value, #[case] remark: Option<&str>) {
        let meaning = plain(text).unwrap();
        assert_eq!(value(meaning.kind), expected);
        match remark {
            None => assert_eq!(meaning.remark, None),
            Some(part) => assert!(
                meaning.remark.as_deref().unwrap_or_default().contains(part),
                "{:?}",
                meaning.remark
            ),
        }
    }

    #[rstest]
    #[case(".inf")]
    #[case("-.Inf")]
    #[case(".NaN")]
    fn refuses(#[case] text: &str) {
        assert!(plain(text).is_err());
    }
}
