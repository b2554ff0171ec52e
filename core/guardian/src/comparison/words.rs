//! Grants, and how they changed, in words.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde_json::Value;

use crate::decision::window_words;
use crate::source::{ApprovalRule, Grant, Quota, Validity};

/// How many items of one list are told.
const TOLD: usize = 8;

/// `quota daily of 5 calls in 1d`.
pub fn quota_words(quota: &Quota) -> String {
    format!("quota {} of {}", quota.name, quota_of(quota))
}

pub(super) fn quota_of(quota: &Quota) -> String {
    format!(
        "{}{}",
        quota.counts.words(quota.limit),
        window_words(quota.window_seconds)
    )
}

/// What a grant says: `operations issue.read; project acme/web or acme/docs-*; quota daily of 5 calls in 1d`.
pub fn grant_words(grant: &Grant) -> String {
    let mut parts = Vec::new();
    if !grant.operations.is_empty() {
        parts.push(format!("operations {}", listed(&grant.operations, ", ")));
    }
    if !grant.tools.is_empty() {
        parts.push(format!("tools {}", listed(&grant.tools, ", ")));
    }
    for (dimension, patterns) in &grant.scope {
        parts.push(format!("{dimension} {}", alternatives(patterns)));
    }
    parts.extend(grant.quotas.iter().map(quota_words));
    if !grant.approval.is_empty() {
        parts.push(approval_words(&grant.approval));
    }
    parts.extend(grant.validity.as_ref().map(validity_words));
    parts.join("; ")
}

/// What became of a grant, one thing at a time: `recipient + eve@example.com`.
pub fn grant_changes(old: &Grant, new: &Grant) -> Vec<String> {
    let mut changes = Vec::new();
    changes.extend(set_change("operations", &old.operations, &new.operations));
    changes.extend(set_change("tools", &old.tools, &new.tools));
    let dimensions: BTreeSet<&String> = old.scope.keys().chain(new.scope.keys()).collect();
    for dimension in dimensions {
        changes.extend(scope_change(
            dimension,
            old.scope.get(dimension),
            new.scope.get(dimension),
        ));
    }
    changes.extend(quota_changes(&old.quotas, &new.quotas));
    if old.approval != new.approval {
        let (was, is) = (approval_words(&old.approval), approval_words(&new.approval));
        changes.push(format!("{was} → {is}"));
    }
    if old.validity != new.validity {
        let words =
            |validity: &Option<Validity>| validity.as_ref().map_or("always".to_owned(), validity_words);
        changes.push(format!(
            "holds {} → {}",
            words(&old.validity),
            words(&new.validity)
        ));
    }
    changes
}

fn scope_change(dimension: &str, old: Option<&Vec<Value>>, new: Option<&Vec<Value>>) -> Option<String> {
    match (old, new) {
        (Some(old), Some(new)) => {
            let texts = |patterns: &[Value]| patterns.iter().map(text).collect::<Vec<_>>();
            set_change(dimension, &texts(old), &texts(new))
        }
        (Some(old), None) => Some(format!(
            "{dimension} is no longer restricted (was {})",
            alternatives(old)
        )),
        (None, Some(new)) => Some(format!("{dimension} is restricted to {}", alternatives(new))),
        (None, None) => None,
    }
}

/// What came and what went, so that one recipient more is one recipient.
fn set_change(what: &str, old: &[String], new: &[String]) -> Option<String> {
    let missing = |of: &[String], from: &[String]| -> Vec<String> {
        of.iter().filter(|item| !from.contains(item)).cloned().collect()
    };
    let signed =
        |sign: char, items: &[String]| (!items.is_empty()).then(|| format!("{sign} {}", listed(items, ", ")));
    let parts: Vec<String> = [signed('+', &missing(new, old)), signed('-', &missing(old, new))]
        .into_iter()
        .flatten()
        .collect();
    let emptied =
        (old.is_empty() != new.is_empty()).then_some(if new.is_empty() { " (any)" } else { " (was any)" });
    (!parts.is_empty()).then(|| format!("{what} {}{}", parts.join(" "), emptied.unwrap_or_default()))
}

fn quota_changes(old: &[Quota], new: &[Quota]) -> Vec<String> {
    let by_name = |quotas: &[Quota], name: &str| quotas.iter().find(|quota| quota.name == name).cloned();
    let names: BTreeSet<&String> = old.iter().chain(new).map(|quota| &quota.name).collect();
    let change = |name: &&String| match (by_name(old, name), by_name(new, name)) {
        (Some(was), Some(is)) if was != is => Some(format!("{} → {}", quota_words(&was), quota_of(&is))),
        (Some(was), None) => Some(format!("{} is gone", quota_words(&was))),
        (None, Some(is)) => Some(format!("{} is new", quota_words(&is))),
        _ => None,
    };
    names.iter().filter_map(change).collect()
}

fn approval_words(rules: &[ApprovalRule]) -> String {
    let words: Vec<String> = rules
        .iter()
        .map(|rule| {
            let risk = rule.risk.map(|risk| format!(" at risk {risk:?} or more"));
            let of =
                (!rule.operations.is_empty()).then(|| format!(" for {}", listed(&rule.operations, ", ")));
            format!("{}{}", of.unwrap_or_default(), risk.unwrap_or_default())
        })
        .collect();
    if words.is_empty() {
        "without approval".to_owned()
    } else {
        format!("with a person's approval{}", words.join(" and"))
    }
}

fn validity_words(validity: &Validity) -> String {
    let part = |word: &str, instant: Option<jiff::Timestamp>| instant.map(|at| format!("{word} {at}"));
    let parts: Vec<String> = [
        part("from", validity.not_before),
        part("until", validity.not_after),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        "always".to_owned()
    } else {
        parts.join(" ")
    }
}

fn alternatives(patterns: &[Value]) -> String {
    listed(&patterns.iter().map(text).collect::<Vec<_>>(), " or ")
}

fn text(pattern: &Value) -> String {
    pattern
        .as_str()
        .map_or_else(|| pattern.to_string(), str::to_owned)
}

/// The first of many, and how many there are besides.
pub(super) fn listed(items: &[impl Display], between: &str) -> String {
    let told: Vec<String> = items.iter().take(TOLD).map(ToString::to_string).collect();
    let more = items.len().saturating_sub(told.len());
    let rest = if more > 0 {
        format!("{between}{more} more")
    } else {
        String::new()
    };
    format!("{}{rest}", told.join(between))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn grant(text: Value) -> Grant {
        let mut text = text;
        text["origin"] = json!("binding/a#0");
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn only_what_changed_is_told() {
        let old = grant(json!({
            "operations": ["mail.*"], "scope": {"recipient": ["a@x.org", "b@x.org"], "label": ["l"]},
            "quotas": [{"name": "daily", "counts": "Calls", "limit": 5, "windowSeconds": 86_400}], "approval": [{}]
        }));
        let new = grant(json!({
            "operations": ["mail.*"], "tools": ["send"], "scope": {"recipient": ["a@x.org", "b@x.org", "eve@x.org"], "folder": ["in"]},
            "quotas": [{"name": "daily", "counts": "Calls", "limit": 50, "windowSeconds": 86_400}],
            "validity": {"notAfter": "2030-01-01T00:00:00Z"}
        }));
        assert_eq!(
            grant_changes(&old, &new),
            [
                "tools + send (was any)",
                "folder is restricted to in",
                "label is no longer restricted (was l)",
                "recipient + eve@x.org",
                "quota daily of 5 calls in 1d → 50 calls in 1d",
                "with a person's approval → without approval",
                "holds always → until 2030-01-01T00:00:00Z",
            ]
        );
        assert_eq!(grant_changes(&old, &old), [""; 0]);
    }

    #[test]
    fn long_lists_are_cut() {
        let patterns: Vec<String> = (0..400).map(|n| format!("r{n}")).collect();
        let words = grant_words(&grant(json!({"operations": ["*"], "scope": {"to": patterns}})));
        assert_eq!(
            words,
            "operations *; to r0 or r1 or r2 or r3 or r4 or r5 or r6 or r7 or 392 more"
        );
    }
}
