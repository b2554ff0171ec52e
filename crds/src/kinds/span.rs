//! Lengths of time as people write them.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::schema;

/// A length of time such as `90s`, `5m`, `1h30m` or `30d`: days, hours, minutes and seconds in this order, each at most once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub String);

/// The units in the order in which they may follow each other, with their length in seconds.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Span {
    /// What it means, or nothing if it is not written as [`Span`] says or is longer than `u64` seconds.
    pub fn duration(&self) -> Option<Duration> {
        let mut units = UNITS.iter();
        let mut rest = self.0.as_str();
        let mut total: u64 = 0;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let (digits, tail) = rest.split_at(end);
            let unit = tail.chars().next()?;
            let (_, seconds) = units.by_ref().find(|(name, _)| *name == unit)?;
            let count: u64 = digits.parse().ok()?;
            total = total.checked_add(count.checked_mul(*seconds)?)?;
            rest = tail.strip_prefix(unit)?;
        }
        Some(Duration::from_secs(total))
    }
}

impl From<&str> for Span {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 2,
            "maxLength": 32,
            "pattern": schema::DURATION
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("90s", 90)]
    #[case("0s", 0)]
    #[case("5m", 300)]
    #[case("1h30m", 5_400)]
    #[case("30d", 2_592_000)]
    #[case("1d2h3m4s", 93_784)]
    fn lengths_are_read(#[case] text: &str, #[case] seconds: u64) {
        assert_eq!(Span::from(text).duration(), Some(Duration::from_secs(seconds)));
    }

    #[rstest]
    #[case::empty("")]
    #[case::no_unit("90")]
    #[case::no_number("s")]
    #[case::unknown_unit("5w")]
    #[case::wrong_order("1s1m")]
    #[case::twice("1m1m")]
    #[case::negative("-1s")]
    #[case::fraction("1.5h")]
    #[case::blank("1h 5m")]
    #[case::too_long("99999999999999999999s")]
    #[case::overflow("18446744073709551615d")]
    fn anything_else_is_no_length(#[case] text: &str) {
        assert_eq!(Span::from(text).duration(), None);
    }
}
