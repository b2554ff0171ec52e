//! Which grants make a tool visible, and which dimensions say something of its calls.

use std::collections::BTreeMap;

use monstrum_guardian::covers;
use monstrum_guardian::document::Document;
use monstrum_guardian::source::{Dimension, Match, Tool};

use super::bot::seen_name;

/// Each visible tool with the origins of the grants that make it so.
pub(crate) fn granting(document: &Document) -> BTreeMap<String, Vec<String>> {
    let mut granting: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for binding in &document.bindings {
        for tool in &binding.tools {
            let grants = binding.grants.iter().filter(|grant| covers(grant, tool));
            granting.insert(
                seen_name(binding, tool),
                grants.map(|grant| grant.origin.clone()).collect(),
            );
        }
    }
    granting
}

/// Whether the dimension says anything about calls of the tool: it is fed by it, or a rule over the whole call.
pub(crate) fn applies(tool: &Tool, dimension: &Dimension) -> bool {
    dimension.matching == Match::Cel {} || tool.scope.iter().any(|feed| feed.dimension == dimension.name)
}
