//! From sources to the policy document.

mod delegation;
mod grant;
mod prefix;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::document::{Binding, Document, FORMAT};
use crate::fault::{Fault, FieldFault};
use crate::naming;
use crate::parameters;
use crate::selector;
use crate::source::{BindingSource, BotSource, Dimension, Grant, ResourceType, Tool};
use crate::validate::{validate_budgets, validate_grants, validate_resource_type};

/// A policy, and what was left out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Compilation {
    /// The policy of every binding without a fault.
    pub document: Document,
    /// Ordered, no two alike. Each names a binding that the document does not hold.
    pub faults: Vec<Fault>,
    /// What is wrong with the bot's budgets and delegations, ordered. With a faulty budget the document holds no binding and does
    /// not load; a faulty delegation is left out.
    pub bot_faults: Vec<FieldFault>,
}

/// Compiles one bot's policy. Pure: the same sources in any order give the same bytes. A binding with a fault is left out as a
/// whole; the others are not affected.
pub fn compile(source: &BotSource) -> Compilation {
    let mut faults = own_faults(&source.bindings);
    faults.extend(repeated_names(&source.bindings));
    let prefixes = prefix::prefixes(&source.bindings, &mut faults);
    let mut bindings: Vec<_> = source
        .bindings
        .iter()
        .zip(prefixes)
        .filter(|(binding, _)| !faults.iter().any(|fault| fault.binding == binding.name))
        .map(|(binding, prefix)| build(binding, prefix))
        .filter(|binding| !binding.tools.is_empty())
        .collect();
    bindings.sort_by(|left, right| left.name.cmp(&right.name));
    let clashes = name_faults(&bindings);
    bindings.retain(|binding| !clashes.iter().any(|fault| fault.binding == binding.name));
    faults.extend(clashes);
    let mut bot_faults = validate_budgets(&source.budgets);
    if !bot_faults.is_empty() {
        bindings.clear();
    }
    let mut budgets = source.budgets.clone();
    budgets.sort();
    let delegations = delegation::normal(&source.bot, &source.delegations, &mut bot_faults);
    bot_faults.sort();
    bot_faults.dedup();
    let document = Document {
        format: FORMAT,
        bot: source.bot.clone(),
        bindings,
        budgets,
        delegations,
    };
    Compilation {
        document,
        faults: faults.into_iter().collect(),
        bot_faults,
    }
}

/// What is wrong with each binding, whatever the others are.
fn own_faults(bindings: &[BindingSource]) -> BTreeSet<Fault> {
    // Bindings share the types that they are of; each is looked at once.
    let mut types: HashMap<*const ResourceType, Vec<FieldFault>> = HashMap::new();
    let mut faults = BTreeSet::new();
    for binding in bindings {
        let resource_type = &binding.resource_type;
        let of_type = types
            .entry(Arc::as_ptr(resource_type))
            .or_insert_with(|| validate_resource_type(resource_type));
        faults.extend(
            of_type
                .iter()
                .cloned()
                .map(|fault| fault.of_binding(&binding.name, "resourceType.")),
        );
        let of_grants = validate_grants(resource_type, &binding.grants);
        faults.extend(
            of_grants
                .into_iter()
                .map(|fault| fault.of_binding(&binding.name, "")),
        );
    }
    faults
}

fn repeated_names(bindings: &[BindingSource]) -> Vec<Fault> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for binding in bindings {
        let count = counts.entry(&binding.name).or_default();
        *count = count.saturating_add(1);
    }
    let repeated = counts.into_iter().filter(|(_, count)| *count > 1);
    let message = "the bot has two bindings of this name; rename one";
    repeated
        .map(|(name, _)| FieldFault::new("name", message).of_binding(name, ""))
        .collect()
}

fn build(source: &BindingSource, prefix: Option<String>) -> Binding {
    let resource_type = &source.resource_type;
    let (dimensions, tools, grants) = normal(resource_type, &source.grants);
    Binding {
        name: source.name.clone(),
        prefix,
        resource: source.resource.clone(),
        description: source.description.clone(),
        resource_type: resource_type.name.clone(),
        executor: resource_type.executor.clone(),
        config: source.config.clone(),
        credential: source.credential.clone(),
        runner: source.runner.clone(),
        dimensions,
        tools,
        grants,
    }
}

/// The type's dimensions, the tools that some grant covers, and the grants, each in order.
fn normal(resource_type: &ResourceType, grants: &[Grant]) -> (Vec<Dimension>, Vec<Tool>, Vec<Grant>) {
    let grants = grant::normal(grants, &resource_type.dimensions);
    let visible = |tool: &&Tool| grants.iter().any(|grant| selector::covers(grant, tool));
    let mut tools: Vec<_> = resource_type.tools.iter().filter(visible).map(closed).collect();
    tools.sort_by(|left, right| left.name.cmp(&right.name));
    let mut dimensions = resource_type.dimensions.clone();
    dimensions.sort_by(|left, right| left.name.cmp(&right.name));
    (dimensions, tools, grants)
}

fn closed(tool: &Tool) -> Tool {
    Tool {
        parameters: parameters::closed(&tool.parameters),
        ..tool.clone()
    }
}

/// Names that no provider takes, and names that two bindings would share.
fn name_faults(bindings: &[Binding]) -> BTreeSet<Fault> {
    let mut faults = BTreeSet::new();
    let mut owners: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for binding in bindings {
        for tool in &binding.tools {
            let name = naming::final_name(binding.prefix.as_deref(), &tool.name);
            if !selector::is_tool_name(&name) {
                let message = format!(
                    "the tool would be called {name}, which is longer than 64 characters; choose a shorter alias"
                );
                faults.insert(FieldFault::new("alias", message).of_binding(&binding.name, ""));
            }
            owners.entry(name).or_default().insert(&binding.name);
        }
    }
    for (name, owners) in owners.iter().filter(|(_, owners)| owners.len() > 1) {
        for owner in owners {
            let others: Vec<_> = owners.iter().filter(|other| *other != owner).copied().collect();
            let message = format!(
                "the tool {name} also comes from binding {}; give one of them an alias",
                others.join(", ")
            );
            faults.insert(FieldFault::new("alias", message).of_binding(owner, ""));
        }
    }
    faults
}
