//! Lengths of time and decimals that a pattern alone does not judge.

use super::Fault;
use crate::kinds::{Limits, Span};

const DAY: u64 = 86_400;

/// What is wrong with the bounds of a turn.
pub(crate) fn faults(field: &str, limits: Option<&Limits>) -> Vec<Fault> {
    let Some(limits) = limits else { return Vec::new() };
    [
        span(
            &format!("{field}.maxTurnDuration"),
            limits.max_turn_duration.as_ref(),
            DAY,
        ),
        span(&format!("{field}.callTimeout"), limits.call_timeout.as_ref(), DAY),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is wrong with a length of time that must be at least a second.
pub(crate) fn span(field: &str, span: Option<&Span>, most_seconds: u64) -> Option<Fault> {
    let span = span?;
    match span.duration().map(|duration| duration.as_secs()) {
        Some(seconds) if (1..=most_seconds).contains(&seconds) => None,
        Some(_) => Some(Fault::invalid(
            field,
            format!("{:?} must be from 1s to {most_seconds}s", span.0),
        )),
        None => Some(Fault::invalid(
            field,
            format!(
                "{:?} is not a length of time: write it as 90s, 5m or 1h30m",
                span.0
            ),
        )),
    }
}
