//! Grants in one form: what means the same is written the same.

use serde_json::Value;

use crate::document::canonical_bytes;
use crate::source::{Dimension, Grant, Match};
use crate::strict_json;

/// The grants ordered by content, no two alike.
pub(super) fn normal(grants: &[Grant], dimensions: &[Dimension]) -> Vec<Grant> {
    let mut keyed: Vec<(Vec<u8>, Grant)> = grants
        .iter()
        .map(|grant| normal_grant(grant, dimensions))
        .map(|grant| {
            (
                serde_json::to_value(&grant)
                    .map(|value| canonical_bytes(&value))
                    .unwrap_or_default(),
                grant,
            )
        })
        .collect();
    keyed.sort_by(|left, right| left.0.cmp(&right.0));
    keyed.dedup_by(|left, right| left.0 == right.0);
    keyed.into_iter().map(|(_, grant)| grant).collect()
}

/// Lists that mean sets are ordered, without repetition.
fn normal_grant(grant: &Grant, dimensions: &[Dimension]) -> Grant {
    let mut normal = grant.clone();
    for list in [&mut normal.operations, &mut normal.tools] {
        list.sort();
        list.dedup();
    }
    for (name, patterns) in &mut normal.scope {
        let literal = dimensions.iter().any(|dimension| {
            dimension.name == *name && matches!(dimension.matching, Match::Exact {} | Match::Enum { .. })
        });
        if literal {
            patterns.iter_mut().for_each(normal_number);
        }
        patterns.sort_by_cached_key(canonical_bytes);
        patterns.dedup_by_key(|pattern| canonical_bytes(pattern));
    }
    normal.quotas.sort_by(|left, right| left.name.cmp(&right.name));
    for rule in &mut normal.approval {
        rule.operations.sort();
        rule.operations.dedup();
    }
    normal
        .approval
        .sort_by(|left, right| (left.risk, &left.operations).cmp(&(right.risk, &right.operations)));
    normal.approval.dedup();
    normal
}

/// `1.0` as `1`, as it is in arguments.
fn normal_number(pattern: &mut Value) {
    if let Value::Number(number) = pattern
        && let Some(exact) = strict_json::interoperable(number)
    {
        *number = exact;
    }
}
