//! From a document to matchers.

use std::collections::HashMap;
use std::sync::Arc;

use super::binding::{DimensionKind, LoadedBinding, LoadedDimension, LoadedTool, PatternTable};
use super::grant_set::GrantSet;
use super::index::Index;
use super::{Engine, delegation, narrowing, visible};
use crate::decision::Name;
use crate::document::{Binding, Document, FORMAT, canonical_bytes};
use crate::fault::FieldFault;
use crate::feed::CompiledFeed;
use crate::matching::{Pattern, Rule};
use crate::naming;
use crate::parameters::Parameters;
use crate::selector;
use crate::source::{Dimension, Match, Tool, WhenUnset};
use crate::validate::validate_budgets;

/// Why a document is not loaded. Keep the old policy until its lease ends, then deny.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Written by a newer or older compiler.
    #[error("policy format {found} is not the supported format {FORMAT}")]
    Format {
        /// What the document says.
        found: u32,
    },
    /// Something of the bot itself is not right.
    #[error("the policy's {field}: {message}")]
    Bot {
        /// Where.
        field: String,
        /// What is wrong.
        message: String,
    },
    /// Something in it does not compile.
    #[error("binding {binding} of the policy: {field}: {message}")]
    Fault {
        /// Which binding.
        binding: String,
        /// Where in it.
        field: String,
        /// What is wrong.
        message: String,
    },
}

impl LoadError {
    pub(super) fn of_binding(binding: &Binding, fault: FieldFault) -> Self {
        Self::Fault {
            binding: binding.name.clone(),
            field: fault.field,
            message: fault.message,
        }
    }
}

pub(super) fn load(document: &Document) -> Result<Engine, LoadError> {
    if document.format != FORMAT {
        return Err(LoadError::Format {
            found: document.format,
        });
    }
    // A budget that can't be understood would be one that is not kept.
    if let Some(fault) = validate_budgets(&document.budgets).into_iter().next() {
        return Err(LoadError::Bot {
            field: fault.field,
            message: fault.message,
        });
    }
    let mut engine = Engine {
        digest: document.digest(),
        ..Engine::empty(document.bot.clone())
    };
    for (place, binding) in document.bindings.iter().enumerate() {
        add_binding(&mut engine, place, binding).map_err(|fault| LoadError::of_binding(binding, fault))?;
    }
    let delegations = document.delegations.iter().map(delegation::load);
    engine.delegations = delegations.collect::<Result<_, _>>()?;
    engine.visible.sort_by(|left, right| left.name.cmp(&right.name));
    engine.document = document.clone();
    Ok(engine)
}

/// The dimensions of a binding, with the patterns of all its grants.
pub(super) fn binding(binding: &Binding) -> Result<LoadedBinding, FieldFault> {
    let dimensions = binding
        .dimensions
        .iter()
        .map(|dimension| load_dimension(dimension, binding))
        .collect::<Result<Vec<_>, _>>()?;
    let known = |name: &String| binding.dimensions.iter().any(|dimension| dimension.name == *name);
    for (grant, name) in binding
        .grants
        .iter()
        .enumerate()
        .flat_map(|(place, grant)| grant.scope.keys().map(move |name| (place, name)))
    {
        if !known(name) {
            return Err(FieldFault::new(
                format!("grants[{grant}].scope.{name}"),
                "there is no such dimension",
            ));
        }
    }
    let origins = binding.grants.iter().map(|grant| grant.origin.as_str().into());
    Ok(LoadedBinding {
        name: binding.name.as_str().into(),
        origins: origins.collect(),
        dimensions,
    })
}

fn add_binding(engine: &mut Engine, place: usize, binding: &Binding) -> Result<(), FieldFault> {
    let loaded = self::binding(binding)?;
    for (tool_place, tool) in binding.tools.iter().enumerate() {
        let field = format!("tools[{tool_place}]");
        let tool_entry = self::tool(binding, &loaded, (place, tool_place), tool, &field)?;
        let name = naming::final_name(binding.prefix.as_deref(), &tool.name);
        if !selector::is_tool_name(&name) {
            return Err(FieldFault::new(
                format!("{field}.name"),
                format!("{name:?} is not a tool name"),
            ));
        }
        let schema = narrowing::narrowed(binding, &loaded, &tool_entry, tool);
        engine.visible.push(visible::tool(&name, binding, tool, schema));
        if engine.tools.insert(name.clone(), tool_entry).is_some() {
            return Err(FieldFault::new(
                format!("{field}.name"),
                format!("two tools are called {name}"),
            ));
        }
    }
    engine.bindings.push(loaded);
    Ok(())
}

fn load_dimension(dimension: &Dimension, binding: &Binding) -> Result<LoadedDimension, FieldFault> {
    let mut unset = GrantSet::none(binding.grants.len());
    for (place, grant) in binding.grants.iter().enumerate() {
        if !grant.scope.contains_key(&dimension.name) {
            unset.insert(place);
        }
    }
    let kind = match dimension.matching {
        Match::Cel {} => DimensionKind::Rules(load_rules(dimension, binding)?),
        _ => DimensionKind::Patterns(load_patterns(dimension, binding)?),
    };
    Ok(LoadedDimension { kind, unset })
}

fn load_rules(dimension: &Dimension, binding: &Binding) -> Result<Vec<Vec<Rule>>, FieldFault> {
    let mut rules: Vec<Vec<Rule>> = binding.grants.iter().map(|_| Vec::new()).collect();
    for_each_pattern(dimension, binding, |grant, pattern| {
        let rule = Rule::compile(pattern)?;
        if let Some(list) = rules.get_mut(grant) {
            list.push(rule);
        }
        Ok(())
    })?;
    Ok(rules)
}

fn load_patterns(dimension: &Dimension, binding: &Binding) -> Result<PatternTable, FieldFault> {
    let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut patterns: Vec<Pattern> = Vec::new();
    let mut holders: Vec<Vec<usize>> = Vec::new();
    let mut by_grant = vec![Vec::new(); binding.grants.len()];
    for_each_pattern(dimension, binding, |grant, pattern| {
        let key = canonical_bytes(pattern);
        let place = known.get(&key).copied().unwrap_or(patterns.len());
        if place == patterns.len() {
            patterns.push(Pattern::compile(&dimension.matching, pattern)?);
            holders.push(Vec::new());
            known.insert(key, place);
        }
        if let (Some(holders), Some(held)) = (holders.get_mut(place), by_grant.get_mut(grant)) {
            holders.push(grant);
            held.push(place);
        }
        Ok(())
    })?;
    let index = Index::new(patterns.iter().map(Pattern::anchor));
    Ok(PatternTable {
        patterns,
        holders,
        by_grant,
        index,
    })
}

/// Calls back with every pattern of the dimension and the place of its grant.
fn for_each_pattern(
    dimension: &Dimension,
    binding: &Binding,
    mut visit: impl FnMut(usize, &serde_json::Value) -> Result<(), String>,
) -> Result<(), FieldFault> {
    for (place, grant) in binding.grants.iter().enumerate() {
        for (number, pattern) in grant.scope.get(&dimension.name).into_iter().flatten().enumerate() {
            visit(place, pattern).map_err(|message| {
                FieldFault::new(
                    format!("grants[{place}].scope.{}[{number}]", dimension.name),
                    message,
                )
            })?;
        }
    }
    Ok(())
}

pub(super) fn tool(
    binding: &Binding,
    loaded: &LoadedBinding,
    (binding_place, tool_place): (usize, usize),
    tool: &Tool,
    field: &str,
) -> Result<LoadedTool, FieldFault> {
    let parameters = Parameters::compile(&tool.parameters)
        .map_err(|message| FieldFault::new(format!("{field}.parameters"), message))?;
    let feeds = tool
        .scope
        .iter()
        .enumerate()
        .map(|(place, feed)| {
            CompiledFeed::compile(feed, &binding.dimensions)
                .map_err(|message| FieldFault::new(format!("{field}.scope[{place}]"), message))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (rewriting, reading): (Vec<_>, Vec<_>) =
        (0..feeds.len()).partition(|place| feeds.get(*place).is_some_and(CompiledFeed::rewrites));
    let reading_order = [rewriting, reading].concat();
    let fed = fed_dimensions(&feeds, &reading_order);
    let ruled: Vec<_> = (0..loaded.dimensions.len())
        .filter(|place| {
            matches!(
                loaded.dimensions.get(*place).map(|d| &d.kind),
                Some(DimensionKind::Rules(_))
            )
        })
        .collect();
    let covering = covering(binding, tool, &fed, &ruled);
    Ok(LoadedTool {
        name: tool.name.as_str().into(),
        operation: tool.operation.as_str().into(),
        binding: binding_place,
        tool: tool_place,
        parameters,
        feeds,
        reading_order,
        names: names(binding, &fed),
        trial_order: trial_order(loaded, &fed),
        fed,
        ruled,
        covering,
    })
}

/// Each once, in the order of reading.
fn fed_dimensions(feeds: &[CompiledFeed], reading_order: &[usize]) -> Vec<usize> {
    let mut fed = Vec::new();
    for feed in reading_order.iter().filter_map(|place| feeds.get(*place)) {
        if !fed.contains(&feed.dimension) {
            fed.push(feed.dimension);
        }
    }
    fed
}

fn names(binding: &Binding, fed: &[usize]) -> Arc<[Name]> {
    let dimensions = fed.iter().filter_map(|place| binding.dimensions.get(*place));
    dimensions
        .map(|dimension| dimension.name.as_str().into())
        .collect()
}

/// Places in `fed`, the dimensions with the fewest patterns to try first.
fn trial_order(loaded: &LoadedBinding, fed: &[usize]) -> Vec<usize> {
    let work = |place: usize| match loaded.dimensions.get(place).map(|dimension| &dimension.kind) {
        Some(DimensionKind::Patterns(table)) => table.index.unanchored(),
        Some(DimensionKind::Rules(_)) | None => usize::MAX,
    };
    let mut slots: Vec<_> = fed.iter().map(|place| work(*place)).enumerate().collect();
    slots.sort_by_key(|(_, work)| *work);
    slots.into_iter().map(|(slot, _)| slot).collect()
}

/// The grants that can permit a call of the tool.
fn covering(binding: &Binding, tool: &Tool, fed: &[usize], ruled: &[usize]) -> GrantSet {
    let mut covering = GrantSet::none(binding.grants.len());
    for (place, grant) in binding.grants.iter().enumerate() {
        let mut dimensions = binding.dimensions.iter().enumerate();
        let possible = dimensions.all(|(dimension_place, dimension)| {
            let applies = fed.contains(&dimension_place) || ruled.contains(&dimension_place);
            match (grant.scope.contains_key(&dimension.name), applies) {
                // A restriction on what the call does not say cannot be met.
                (true, applies) => applies,
                (false, true) => dimension.when_unset == WhenUnset::Allow,
                (false, false) => true,
            }
        });
        if possible && selector::covers(grant, tool) {
            covering.insert(place);
        }
    }
    covering
}
