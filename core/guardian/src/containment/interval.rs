//! `Range`: unions of closed intervals of floats.

use super::{Answer, Pair};
use crate::matching::{Pattern, range};
use crate::source::Unit;

/// An interval; both ends belong to it.
type Span = (f64, f64);

/// The smallest granted number that the ceiling does not have.
pub(super) fn smallest(pair: &Pair<'_>, unit: Unit) -> Answer {
    let ceiling = spans(&pair.ceiling, unit);
    let granted = spans(&pair.granted, unit);
    let gaps: Vec<Span> = granted.iter().flat_map(|span| gaps(*span, &ceiling)).collect();
    let found = Answer::least(
        gaps.iter()
            .map(|gap| range::number(readable(*gap)))
            .filter(|number| pair.tells_apart(number)),
    );
    if gaps.is_empty() || found != Answer::Nothing {
        found
    } else {
        Answer::Unconfirmed
    }
}

/// The intervals within the numbers that values can have, by their lower ends.
fn spans(patterns: &[Pattern], unit: Unit) -> Vec<Span> {
    let least = if unit == Unit::Number { f64::MIN } else { 0.0 };
    let intervals = patterns.iter().filter_map(|pattern| match pattern {
        Pattern::Range(interval) => Some(interval.ends()),
        _ => None,
    });
    let mut spans: Vec<Span> = intervals
        .map(|(min, max)| (min.max(least), max.min(f64::MAX)))
        .filter(|(min, max)| min <= max)
        .collect();
    spans.sort_by(|left, right| left.0.total_cmp(&right.0));
    spans
}

/// What of a span lies in none of the ordered ones.
fn gaps(span: Span, ordered: &[Span]) -> Vec<Span> {
    let mut gaps = Vec::new();
    let mut from = span.0;
    for (min, max) in ordered {
        if from > span.1 {
            break;
        }
        if *min > from {
            gaps.push((from, min.next_down().min(span.1)));
        }
        from = from.max(max.next_up());
    }
    if from <= span.1 {
        gaps.push((from, span.1));
    }
    gaps.retain(|(min, max)| min <= max);
    gaps
}

/// The number of a span that is easiest to read: 0, the whole number nearest to it, or the fewest decimals.
fn readable((min, max): Span) -> f64 {
    let mut scale = 1.0;
    for _ in 0..7 {
        let nearest = if min > 0.0 {
            (min * scale).ceil() / scale
        } else if max < 0.0 {
            (max * scale).floor() / scale
        } else {
            0.0
        };
        if min <= nearest && nearest <= max {
            return nearest;
        }
        scale *= 10.0;
    }
    min
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case((1.0, 5.0), &[(1.0, 5.0)], &[])]
    #[case((1.0, 5.0), &[(1.0, 3.0), (3.0, 5.0)], &[])]
    #[case((1.0, 5.0), &[(0.0, 9.0), (2.0, 3.0)], &[])]
    #[case((1.0, 5.0), &[], &[(1.0, 5.0)])]
    #[case((1.0, 5.0), &[(2.0, 9.0)], &[(1.0, 2.0_f64.next_down())])]
    #[case((1.0, 5.0), &[(7.0, 9.0)], &[(1.0, 5.0)])]
    #[case((1.0, 5.0), &[(1.0, 2.0), (3.0, 9.0)], &[(2.0_f64.next_up(), 3.0_f64.next_down())])]
    #[case((1.0, 5.0), &[(1.0, 2.0), (2.0_f64.next_up(), 9.0)], &[])]
    fn gaps_are_what_is_left(#[case] span: Span, #[case] ceiling: &[Span], #[case] expected: &[Span]) {
        assert_eq!(gaps(span, ceiling), expected);
    }

    #[rstest]
    #[case((50.0_f64.next_up(), f64::MAX), 51.0)]
    #[case((f64::MIN, 1.0_f64.next_down()), 0.0)]
    #[case((f64::MIN, -0.5), -1.0)]
    #[case((5.0_f64.next_up(), 6.0_f64.next_down()), 5.1)]
    #[case((0.5, 0.5), 0.5)]
    #[case((0.1, 0.1), 0.1)]
    fn examples_are_easy_to_read(#[case] span: Span, #[case] expected: f64) {
        assert!((readable(span) - expected).abs() < f64::EPSILON);
    }
}
