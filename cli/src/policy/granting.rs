//! Which grants make a tool visible.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use monstrum_guardian::compile;
use monstrum_guardian::document::{Binding, Document};
use monstrum_guardian::source::{BindingSource, BotSource, Grant, ResourceType};

use super::bot::seen_name;

/// The tools, by the names that the bot sees, that this grant alone makes visible. The compiler itself is asked, with
/// a source that holds nothing else.
pub(crate) fn covered_tools(document: &Document, binding: &Binding, grant: &Grant) -> BTreeSet<String> {
    let resource_type = ResourceType {
        name: binding.resource_type.clone(),
        executor: binding.executor,
        dimensions: binding.dimensions.clone(),
        tools: binding.tools.clone(),
    };
    let alone = BindingSource {
        name: binding.name.clone(),
        alias: None,
        resource: binding.resource.clone(),
        description: None,
        resource_type: Arc::new(resource_type),
        config: binding.config.clone(),
        credential: None,
        runner: binding.runner.clone(),
        grants: vec![grant.clone()],
    };
    let compiled = compile(&BotSource {
        bot: document.bot.clone(),
        bindings: vec![alone],
        budgets: Vec::new(),
        delegations: Vec::new(),
    })
    .document;
    let tools = compiled.bindings.iter().flat_map(|compiled| &compiled.tools);
    tools.map(|tool| seen_name(binding, tool)).collect()
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
