//! Which grants make a tool visible.

use std::collections::{BTreeMap, BTreeSet};

use monstrum_guardian::Engine;
use monstrum_guardian::document::{Binding, Document};
use monstrum_guardian::source::Grant;

/// The tools, by the names that the bot sees, that this grant alone makes visible. The engine itself is asked, with a
/// policy that holds nothing else.
pub(crate) fn covered_tools(document: &Document, binding: &Binding, grant: &Grant) -> BTreeSet<String> {
    let alone = Document {
        bindings: vec![Binding { grants: vec![grant.clone()], ..binding.clone() }],
        ..document.clone()
    };
    let engine = Engine::load(&alone).ok();
    engine.map(|engine| engine.tools().into_iter().map(|tool| tool.name).collect()).unwrap_or_default()
}

/// Each visible tool with the origins of the grants that make it so.
pub(crate) fn granting(document: &Document) -> BTreeMap<String, Vec<String>> {
    let mut granting: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for binding in &document.bindings {
        for grant in &binding.grants {
            for tool in covered_tools(document, binding, grant) {
                granting.entry(tool).or_default().push(grant.origin.clone());
            }
        }
    }
    granting
}
