//! What became of grants: those that came, those that went, and what changed of those that stayed.

use std::collections::BTreeSet;

use monstrum_guardian::comparison::{grant_changes, grant_words};
use monstrum_guardian::document::Document;
use monstrum_guardian::source::Grant;
use serde::Serialize;

/// A grant in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GrantWords {
    pub(super) binding: String,
    pub(super) origin: String,
    pub(super) words: String,
}

/// What changed of a grant, one thing at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GrantChange {
    pub(super) binding: String,
    pub(super) origin: String,
    pub(super) changes: Vec<String>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct GrantsChange {
    pub(super) added: Vec<GrantWords>,
    pub(super) removed: Vec<GrantWords>,
    pub(super) changed: Vec<GrantChange>,
}

impl GrantsChange {
    /// Binding by binding. What stands in both, wherever it was written, is no change; of the rest, what was written at the same place is
    /// the same grant.
    pub(super) fn between(old: &Document, new: &Document) -> Self {
        let mut all = Self::default();
        let bindings = old.bindings.iter().chain(&new.bindings);
        let names: BTreeSet<&str> = bindings.map(|binding| binding.name.as_str()).collect();
        for name in names {
            let (before, after) = (grants(old, name), grants(new, name));
            let (gone, come) = (missing(&before, &after), missing(&after, &before));
            for grant in &come {
                match gone.iter().find(|other| other.origin == grant.origin) {
                    Some(other) => all.changed.push(GrantChange {
                        binding: name.to_owned(),
                        origin: grant.origin.clone(),
                        changes: grant_changes(other, grant),
                    }),
                    None => all.added.push(words(name, grant)),
                }
            }
            let left = gone
                .iter()
                .filter(|grant| !come.iter().any(|other| other.origin == grant.origin));
            all.removed.extend(left.map(|grant| words(name, grant)));
        }
        all
    }
}

fn words(binding: &str, grant: &Grant) -> GrantWords {
    GrantWords {
        binding: binding.to_owned(),
        origin: grant.origin.clone(),
        words: grant_words(grant),
    }
}

fn grants<'a>(document: &'a Document, binding: &str) -> Vec<&'a Grant> {
    let bindings = document.bindings.iter().filter(|other| other.name == binding);
    bindings.flat_map(|binding| &binding.grants).collect()
}

/// The grants of a list of which another has fewer.
fn missing<'a>(of: &[&'a Grant], from: &[&Grant]) -> Vec<&'a Grant> {
    let same = |one: &Grant, other: &Grant| {
        Grant {
            origin: String::new(),
            ..one.clone()
        } == Grant {
            origin: String::new(),
            ..other.clone()
        }
    };
    let mut rest: Vec<&Grant> = from.to_vec();
    let mut missing = Vec::new();
    for grant in of {
        match rest.iter().position(|other| same(grant, other)) {
            Some(place) => {
                rest.remove(place);
            }
            None => missing.push(*grant),
        }
    }
    missing
}
