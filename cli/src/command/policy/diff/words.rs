//! Grants and budgets in words.

use std::collections::BTreeSet;

use monstrum_guardian::Engine;
use monstrum_guardian::document::Document;
use monstrum_guardian::source::{Budget, BudgetOf, Grant};

/// The tools that a policy shows.
pub(super) fn visible(document: &Document) -> BTreeSet<String> {
    let engine = Engine::load(document).ok();
    engine
        .map(|engine| engine.tools().into_iter().map(|tool| tool.name).collect())
        .unwrap_or_default()
}

/// `the bot's budget daily: at most 10 calls in 86400 s`.
pub(super) fn budget(budget: &Budget) -> String {
    let owner = match budget.of {
        BudgetOf::Bot => "bot",
        BudgetOf::Workspace => "workspace",
    };
    let most = budget.counts.words(budget.limit);
    format!(
        "the {owner}'s budget {}: at most {most}{}",
        budget.name,
        window(budget.window_seconds)
    )
}

fn window(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| " in all".to_owned(), |seconds| format!(" in {seconds} s"))
}

/// `operations issue.read; repository acme/web or acme/docs-*; at most 100 Calls in 3600 s`.
pub(super) fn grant(grant: &Grant) -> String {
    let mut parts = Vec::new();
    if !grant.operations.is_empty() {
        parts.push(format!("operations {}", grant.operations.join(", ")));
    }
    if !grant.tools.is_empty() {
        parts.push(format!("tools {}", grant.tools.join(", ")));
    }
    for (dimension, patterns) in &grant.scope {
        let patterns: Vec<String> = patterns
            .iter()
            .map(|pattern| {
                pattern
                    .as_str()
                    .map_or_else(|| pattern.to_string(), str::to_owned)
            })
            .collect();
        parts.push(format!("{dimension} {}", patterns.join(" or ")));
    }
    for quota in &grant.quotas {
        let window = window(quota.window_seconds);
        parts.push(format!("at most {} {:?}{window}", quota.limit, quota.counts));
    }
    if !grant.approval.is_empty() {
        parts.push("with a person's approval".to_owned());
    }
    if let Some(validity) = &grant.validity {
        if let Some(start) = validity.not_before {
            parts.push(format!("from {start}"));
        }
        if let Some(end) = validity.not_after {
            parts.push(format!("until {end}"));
        }
    }
    parts.join("; ")
}
