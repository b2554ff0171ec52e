//! What changes for one bot.

use std::collections::{BTreeMap, BTreeSet};

use monstrum_guardian::document::{Binding, Document};
use monstrum_guardian::source::{BotName, Budget, Grant};
use serde::Serialize;

use super::example::{Example, newly_permitted};
use super::words;
use crate::policy::{BotPolicy, Compiled, widenings};

/// What changes for one bot. The names are API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BotChange {
    pub(super) bot: String,
    pub(super) old_digest: String,
    pub(super) new_digest: String,
    /// Tools that become visible, and that no longer are.
    pub(super) visible: Vec<String>,
    pub(super) hidden: Vec<String>,
    pub(super) grants_added: Vec<GrantWords>,
    pub(super) grants_removed: Vec<GrantWords>,
    /// Budgets that come to hold, and that no longer do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) budgets_added: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) budgets_removed: Vec<String>,
    /// Budgets that are not kept, so that more may be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) budgets_loosened: Vec<String>,
    /// Calls that become permitted, and that no longer are, as examples.
    pub(super) permitted: Vec<Example>,
    pub(super) forbidden: Vec<Example>,
    /// What is permitted, or may be, beyond what was.
    pub(super) widenings: Vec<Widened>,
    /// Problems of the new objects.
    pub(super) problems: Vec<String>,
}

/// A grant in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GrantWords {
    pub(super) binding: String,
    pub(super) origin: String,
    pub(super) words: String,
}

/// A tool of which a grant permits more, or may.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Widened {
    pub(super) tool: String,
    pub(super) grant: String,
    pub(super) why: String,
    /// Whether one of the examples shows it.
    pub(super) proven: bool,
}

impl BotChange {
    /// Whether something is permitted, or may be, that was not.
    pub(super) fn widens(&self) -> bool {
        !self.widenings.is_empty() || !self.budgets_loosened.is_empty()
    }
}

/// Every bot for which something changes, in the order of names.
pub(super) fn between(old: &Compiled, new: &Compiled) -> Vec<BotChange> {
    let names: BTreeSet<String> = old.bots.iter().chain(&new.bots).map(BotPolicy::title).collect();
    let problems: Vec<String> = new.problems.iter().map(ToString::to_string).collect();
    let by_name = |compiled: &Compiled, name: &str| -> Option<Document> {
        compiled
            .bots
            .iter()
            .find(|bot| bot.title() == name)
            .map(|bot| bot.document.clone())
    };
    names
        .iter()
        .filter_map(|name| {
            let (before, after) = (by_name(old, name), by_name(new, name));
            let bot = before.as_ref().or(after.as_ref())?.bot.clone();
            let change = of_bot(name, &filled(before, &bot), &filled(after, &bot), &problems);
            (change.old_digest != change.new_digest).then_some(change)
        })
        .collect()
}

/// A bot that does not exist may do nothing.
fn filled(document: Option<Document>, bot: &BotName) -> Document {
    document.unwrap_or_else(|| Document::empty(bot.clone()))
}

fn of_bot(name: &str, old: &Document, new: &Document, problems: &[String]) -> BotChange {
    let permitted = newly_permitted(old, new);
    let forbidden = newly_permitted(new, old);
    let widenings = widenings(old, new).into_iter().map(|widening| Widened {
        proven: permitted
            .iter()
            .any(|example| example.tool == widening.tool && example.grant == widening.grant),
        tool: widening.tool,
        grant: widening.grant,
        why: widening.why,
    });
    let (seen_before, seen_after) = (words::visible(old), words::visible(new));
    BotChange {
        bot: name.to_owned(),
        old_digest: old.digest(),
        new_digest: new.digest(),
        visible: seen_after.difference(&seen_before).cloned().collect(),
        hidden: seen_before.difference(&seen_after).cloned().collect(),
        grants_added: added(old, new),
        grants_removed: added(new, old),
        budgets_added: missing(new, old),
        budgets_removed: missing(old, new),
        budgets_loosened: loosened(old, new),
        widenings: widenings.collect(),
        permitted,
        forbidden,
        problems: problems.to_vec(),
    }
}

/// Budgets of one policy that the other does not have.
fn missing(of: &Document, from: &Document) -> Vec<String> {
    let missing = of.budgets.iter().filter(|budget| !from.budgets.contains(budget));
    missing.map(words::budget).collect()
}

/// Budgets of `old` that no budget of `new` keeps. A bot that is gone uses nothing.
fn loosened(old: &Document, new: &Document) -> Vec<String> {
    if new.bindings.is_empty() && new.budgets.is_empty() {
        return Vec::new();
    }
    let kept = |budget: &Budget| new.budgets.iter().any(|other| is_kept(budget, other));
    let loosened = old.budgets.iter().filter(|budget| !kept(budget));
    loosened.map(words::budget).collect()
}

/// Whether what keeps `new` keeps `old`.
fn is_kept(old: &Budget, new: &Budget) -> bool {
    (old.of, old.counts, old.window_seconds) == (new.of, new.counts, new.window_seconds)
        && old.name == new.name
        && new.limit <= old.limit
}

/// Grants of `new` that `old` does not have. Where one was written does not count.
fn added(old: &Document, new: &Document) -> Vec<GrantWords> {
    let content = |grant: &Grant| Grant {
        origin: String::new(),
        ..grant.clone()
    };
    let known: BTreeMap<&str, Vec<Grant>> = old
        .bindings
        .iter()
        .map(|binding: &Binding| {
            (
                binding.name.as_str(),
                binding.grants.iter().map(content).collect(),
            )
        })
        .collect();
    let mut added = Vec::new();
    for binding in &new.bindings {
        for grant in &binding.grants {
            let is_known = known
                .get(binding.name.as_str())
                .is_some_and(|grants| grants.contains(&content(grant)));
            if !is_known {
                added.push(GrantWords {
                    binding: binding.name.clone(),
                    origin: grant.origin.clone(),
                    words: words::grant(grant),
                });
            }
        }
    }
    added
}
