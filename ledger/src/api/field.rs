//! What a request's fields may hold. Everything is bounded; nothing holds control characters.

use std::time::Duration;

use super::Refusal;

/// The longest id or name, in bytes.
const LONGEST: usize = 256;

/// The longest name that is made of names.
const LONGEST_PATH: usize = 3 * LONGEST;

/// The longest lease of a session.
pub(crate) const LONGEST_LEASE: Duration = Duration::from_hours(1);

pub(crate) fn refused(field: &'static str, problem: impl Into<String>) -> Refusal {
    Refusal::Field {
        field,
        problem: problem.into(),
    }
}

/// An id or a name: never empty.
pub(crate) fn name(field: &'static str, value: String) -> Result<String, Refusal> {
    if value.is_empty() {
        return Err(refused(field, "must not be empty"));
    }
    label(field, value)
}

/// A text that may be empty.
pub(crate) fn label(field: &'static str, value: String) -> Result<String, Refusal> {
    text(field, value, LONGEST)
}

/// A name that is made of names.
pub(crate) fn path(field: &'static str, value: String) -> Result<String, Refusal> {
    if value.is_empty() {
        return Err(refused(field, "must not be empty"));
    }
    text(field, value, LONGEST_PATH)
}

fn text(field: &'static str, value: String, longest: usize) -> Result<String, Refusal> {
    if value.len() > longest {
        return Err(refused(
            field,
            format!("has {} bytes, must have at most {longest}", value.len()),
        ));
    }
    if value.chars().any(char::is_control) {
        return Err(refused(field, "must not hold control characters"));
    }
    Ok(value)
}

/// A span between a second and `longest`.
pub(crate) fn seconds(field: &'static str, value: u32, longest: Duration) -> Result<Duration, Refusal> {
    let span = Duration::from_secs(u64::from(value));
    if value == 0 || span > longest {
        return Err(refused(
            field,
            format!("is {value}, must be from 1 to {}", longest.as_secs()),
        ));
    }
    Ok(span)
}

/// An amount that sums can hold many of.
pub(crate) fn amount(field: &'static str, value: u64) -> Result<u64, Refusal> {
    const MOST: u64 = 1_000_000_000_000_000;
    if value > MOST {
        return Err(refused(field, format!("is {value}, at most {MOST} may be")));
    }
    Ok(value)
}

/// A message that proto3 lets be absent and that must be there.
pub(crate) fn present<T>(field: &'static str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| refused(field, "must be set"))
}

/// No more than so many.
pub(crate) fn bounded<T>(field: &'static str, values: Vec<T>, most: usize) -> Result<Vec<T>, Refusal> {
    if values.len() > most {
        return Err(refused(
            field,
            format!("are {}, at most {most} may be", values.len()),
        ));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::empty("")]
    #[case::long(&"x".repeat(LONGEST + 1))]
    #[case::newline("a\nb")]
    #[case::nul("a\0")]
    #[case::escape("\u{1b}[31m")]
    fn such_a_name_is_refused(#[case] value: &str) {
        assert!(matches!(
            name("session", value.to_owned()),
            Err(Refusal::Field { field: "session", .. })
        ));
    }

    #[rstest]
    #[case::none(0, false)]
    #[case::one(1, true)]
    #[case::longest(3600, true)]
    #[case::longer(3601, false)]
    fn a_span_has_bounds(#[case] value: u32, #[case] good: bool) {
        assert_eq!(seconds("ttl_seconds", value, LONGEST_LEASE).is_ok(), good);
    }
}
