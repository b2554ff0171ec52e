//! What changes for one bot, or for all bots of a namespace.

use std::collections::BTreeSet;

use monstrum_crds::comparison::{self, Change};
use monstrum_crds::world::World;
use monstrum_guardian::comparison::{loosened, widenings};
use monstrum_guardian::document::Document;
use monstrum_guardian::source::BotName;
use serde::Serialize;

use super::contract::{ToolWords, changed_tools};
use super::example::{Example, newly_permitted};
use super::grant::{GrantChange, GrantWords, GrantsChange};
use super::words;
use crate::policy::{BotPolicy, Compiled};

/// What changes for one bot. The names are API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BotChange {
    /// `namespace/name`; `namespace/*` is what holds for every bot of a namespace.
    pub(super) bot: String,
    pub(super) old_digest: String,
    pub(super) new_digest: String,
    /// Tools that become visible, and that no longer are.
    pub(super) visible: Vec<String>,
    pub(super) hidden: Vec<String>,
    pub(super) grants_added: Vec<GrantWords>,
    pub(super) grants_removed: Vec<GrantWords>,
    pub(super) grants_changed: Vec<GrantChange>,
    /// Tools that take or do something else than before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools_changed: Vec<ToolWords>,
    /// Budgets that come to hold, and that no longer do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) budgets_added: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) budgets_removed: Vec<String>,
    /// Budgets that are not kept, so that more may be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) budgets_loosened: Vec<String>,
    /// What changed beside permissions: credentials, destinations, models, channels, ceilings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) objects: Vec<Change>,
    /// Calls that become permitted, and that no longer are, as examples.
    pub(super) permitted: Vec<Example>,
    pub(super) forbidden: Vec<Example>,
    /// What is permitted, or may be, beyond what was.
    pub(super) widenings: Vec<Widened>,
    /// Problems of the new objects.
    pub(super) problems: Vec<String>,
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
        !self.widenings.is_empty()
            || !self.budgets_loosened.is_empty()
            || self.objects.iter().any(|change| change.may_widen)
    }

    /// Whether it is about all bots of a namespace.
    pub(super) fn is_of_namespace(&self) -> bool {
        self.bot.ends_with("/*")
    }
}

/// Every namespace and every bot for which something changes, in the order of names.
pub(super) fn between(old: &Compiled, new: &Compiled) -> Vec<BotChange> {
    let namespaces: BTreeSet<&String> = old.worlds.keys().chain(new.worlds.keys()).collect();
    let problems: Vec<String> = new.problems.iter().map(ToString::to_string).collect();
    let mut changes = Vec::new();
    for namespace in namespaces {
        let empty = World::new(namespace.as_str());
        let before = old.worlds.get(namespace).map_or(&empty, AsRef::as_ref);
        let after = new.worlds.get(namespace).map_or(&empty, AsRef::as_ref);
        let ceilings = comparison::ceilings(before, after);
        // Where nothing is left, nothing is permitted.
        if !ceilings.is_empty() && new.worlds.contains_key(namespace) {
            let nobody = Document::empty(BotName {
                namespace: namespace.clone(),
                name: "*".to_owned(),
            });
            changes.push(of_documents((&nobody, &nobody), ceilings, &[]));
        }
        let names: BTreeSet<&String> = before.bots.keys().chain(after.bots.keys()).collect();
        changes.extend(names.into_iter().filter_map(|name| {
            let objects = comparison::changes(name, before, after);
            let side = |compiled: &Compiled| enforced(compiled, namespace, name);
            let (was, is) = (side(old), side(new));
            let differs = !objects.is_empty() || was.digest() != is.digest();
            differs.then(|| of_documents((&was, &is), objects, &problems))
        }));
    }
    changes
}

/// What is enforced for a bot. One that is suspended, or not there, may do nothing.
fn enforced(compiled: &Compiled, namespace: &str, name: &str) -> Document {
    let bot = BotName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let policy = compiled.bots.iter().find(|policy| policy.source.bot == bot);
    match policy.filter(|policy| !policy.is_suspended()) {
        Some(BotPolicy { document, .. }) => document.clone(),
        None => Document::empty(bot),
    }
}

fn of_documents((old, new): (&Document, &Document), objects: Vec<Change>, problems: &[String]) -> BotChange {
    let permitted = newly_permitted(old, new);
    let widenings = widenings(old, new).into_iter().map(|widening| Widened {
        proven: permitted
            .iter()
            .any(|example| example.tool == widening.tool && example.grant == widening.grant),
        tool: widening.tool,
        grant: widening.grant,
        why: widening.why,
    });
    let (seen_before, seen_after) = (words::visible(old), words::visible(new));
    let grants = GrantsChange::between(old, new);
    BotChange {
        bot: format!("{}/{}", new.bot.namespace, new.bot.name),
        old_digest: old.digest(),
        new_digest: new.digest(),
        visible: seen_after.difference(&seen_before).cloned().collect(),
        hidden: seen_before.difference(&seen_after).cloned().collect(),
        grants_added: grants.added,
        grants_removed: grants.removed,
        grants_changed: grants.changed,
        tools_changed: changed_tools(old, new),
        budgets_added: missing(new, old),
        budgets_removed: missing(old, new),
        budgets_loosened: not_kept(old, new, &objects),
        widenings: widenings.collect(),
        forbidden: newly_permitted(new, old),
        permitted,
        objects,
        problems: problems.to_vec(),
    }
}

/// Budgets of one policy that the other does not have.
fn missing(of: &Document, from: &Document) -> Vec<String> {
    let missing = of.budgets.iter().filter(|budget| !from.budgets.contains(budget));
    missing.map(words::budget).collect()
}

/// Budgets that are not kept. A bot that is gone or suspended uses nothing.
fn not_kept(old: &Document, new: &Document, objects: &[Change]) -> Vec<String> {
    let stops = |change: &Change| !change.may_widen && matches!(change.field.as_str(), "" | "spec.suspend");
    if objects
        .iter()
        .any(|change| change.object.starts_with("Bot ") && stops(change))
    {
        return Vec::new();
    }
    loosened(old, new).into_iter().map(words::budget).collect()
}
