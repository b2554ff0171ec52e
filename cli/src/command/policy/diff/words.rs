//! Tools and budgets in words.

use std::collections::BTreeSet;

use monstrum_guardian::Engine;
use monstrum_guardian::document::Document;
use monstrum_guardian::source::{Budget, BudgetOf};

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
