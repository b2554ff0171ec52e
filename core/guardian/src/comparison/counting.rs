//! Which grant a call is counted by.
//!
//! The first grant with room permits a call and counts it. Where two old grants are about the same calls and one has a quota, a change
//! of either can lead calls past that quota which used it up before, though each grant by itself became narrower. Leaving grants out
//! is harmless: then those that are left count no less than they did.

use serde_json::Value;

use super::words::quota_words;
use crate::containment::{Containment, contains};
use crate::source::{Dimension, Grant, Match};

/// The quota of an old grant that calls of a tool may now get past, if the grants of the tool are not all old ones.
pub(super) fn shifted(dimensions: &[Dimension], old: &[&Grant], new: &[&Grant]) -> Option<String> {
    if is_part(new, old) {
        return None;
    }
    let counted = old.iter().find_map(|grant| {
        let quota = grant.quotas.first()?;
        let beside = old
            .iter()
            .find(|other| !std::ptr::eq(**other, *grant) && !apart(dimensions, grant, other))?;
        Some((grant, quota, beside))
    });
    counted.map(|(grant, quota, beside)| {
        format!(
            "{} of {} may count fewer calls than it did, since {} is about the same calls",
            quota_words(quota),
            grant.origin,
            beside.origin
        )
    })
}

/// Whether the one list is the other with some left out.
fn is_part(part: &[&Grant], whole: &[&Grant]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|grant| rest.any(|other| other == grant))
}

/// Whether it is known that no call is both grants': in some dimension that both restrict, no literal of the one is matched by the other.
fn apart(dimensions: &[Dimension], one: &Grant, other: &Grant) -> bool {
    dimensions.iter().any(|dimension| {
        let (Some(one), Some(other)) = (one.scope.get(&dimension.name), other.scope.get(&dimension.name))
        else {
            return false;
        };
        misses(dimension, one, other) || misses(dimension, other, one)
    })
}

/// Whether all of `literals` are literals, and none of them is matched by `patterns`.
fn misses(dimension: &Dimension, literals: &[Value], patterns: &[Value]) -> bool {
    literals.iter().all(|literal| {
        is_literal(&dimension.matching, literal)
            && matches!(
                contains(&dimension.matching, patterns, std::slice::from_ref(literal)),
                Containment::Exceeds { .. }
            )
    })
}

fn is_literal(matching: &Match, pattern: &Value) -> bool {
    crate::matching::Pattern::compile(matching, pattern).is_ok_and(|pattern| pattern.only_value().is_some())
}
