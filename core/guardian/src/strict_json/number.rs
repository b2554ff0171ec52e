//! Numbers that every reader takes for the same (RFC 7493, section 2.2).

use serde_json::Number;

/// The largest integer that every JSON reader keeps exactly.
const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;
/// How much of a number is shown.
const MAX_SHOWN: usize = 40;

/// One form for each number: an integer where it is one. None where other readers would round it.
pub(crate) fn interoperable(number: &Number) -> Option<Number> {
    if let Some(integer) = number.as_i64() {
        return (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER)
            .contains(&integer)
            .then(|| integer.into());
    }
    let float = number.as_f64()?;
    #[expect(clippy::cast_precision_loss, reason = "2^53 - 1 has an exact float")]
    let within = float.abs() <= MAX_SAFE_INTEGER as f64;
    if !within {
        return None;
    }
    if float.fract() == 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        return Some((float as i64).into());
    }
    Number::from_f64(float)
}

/// The first number of a JSON text that a float does not keep: `1e-400` would be 0, `1.00000000000000000001` would be 1. A reader
/// that keeps every digit would see another number than the one that was judged.
pub(super) fn rounded(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| matches!(c, '"' | '-' | '0'..='9')) {
        rest = rest.get(start..)?;
        let end = if rest.starts_with('"') {
            end_of_text(rest)
        } else {
            rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
                .unwrap_or(rest.len())
        };
        let (token, later) = rest.split_at_checked(end)?;
        if token.contains(['.', 'e', 'E']) && !token.starts_with('"') && !is_kept(token) {
            return Some(token.get(..MAX_SHOWN).unwrap_or(token));
        }
        rest = later;
    }
    None
}

/// The length of the quoted text that something begins with.
fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place.saturating_add(1),
            _ => {}
        }
    }
    text.len()
}

fn is_kept(token: &str) -> bool {
    let float = token.parse::<f64>().ok();
    // The shortest digits that lead to the same float.
    float.is_some_and(|float| {
        Decimal::of(token).is_some_and(|read| Decimal::of(&format!("{float:e}")) == Some(read))
    })
}

/// A number without its sign: digits, neither the first nor the last of which is 0, and the power of ten of the last one.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    digits: String,
    power: i64,
}

impl Decimal {
    fn of(token: &str) -> Option<Self> {
        let token = token.strip_prefix('-').unwrap_or(token);
        let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let written = format!("{whole}{fraction}");
        let digits = written.trim_start_matches('0').trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self {
                digits: String::new(),
                power: 0,
            });
        }
        let zeros = written.len().checked_sub(written.trim_end_matches('0').len())?;
        let power = exponent
            .parse::<i64>()
            .ok()?
            .checked_sub(i64::try_from(fraction.len()).ok()?)?
            .checked_add(i64::try_from(zeros).ok()?)?;
        Some(Self {
            digits: digits.to_owned(),
            power,
        })
    }
}
