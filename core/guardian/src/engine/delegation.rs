//! What a bot may hand on, loaded like its bindings.

use serde_json::Value;

use super::binding::{LoadedBinding, LoadedTool};
use super::load;
use super::{Engine, LoadError};
use crate::document::Binding;
use crate::naming;
use crate::source::{BotName, Delegable, Delegation, RunnerRef};

/// One bot that may be given work.
#[derive(Debug)]
pub(super) struct LoadedDelegation {
    pub(super) to: BotName,
    /// Nothing where the bot's own bindings count.
    pub(super) delegable: Option<Vec<LoadedDelegable>>,
}

/// What may be handed on of one resource.
#[derive(Debug)]
pub(super) struct LoadedDelegable {
    binding: Binding,
    loaded: LoadedBinding,
    tools: Vec<LoadedTool>,
}

/// A tool of a resource that a bot holds or may hand on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holding<'a> {
    pub(super) binding: &'a Binding,
    pub(super) loaded: &'a LoadedBinding,
    pub(super) entry: &'a LoadedTool,
}

pub(super) fn load(delegation: &Delegation) -> Result<LoadedDelegation, LoadError> {
    let delegable = delegation.delegable.as_ref().map(|delegable| {
        let loaded = delegable
            .iter()
            .map(|delegable| load_delegable(&delegation.to, delegable));
        loaded.collect::<Result<Vec<_>, _>>()
    });
    Ok(LoadedDelegation {
        to: delegation.to.clone(),
        delegable: delegable.transpose()?,
    })
}

fn load_delegable(to: &BotName, delegable: &Delegable) -> Result<LoadedDelegable, LoadError> {
    let binding = as_binding(to, delegable);
    let loaded = load::binding(&binding).map_err(|fault| LoadError::of_binding(&binding, fault))?;
    let tools = binding
        .tools
        .iter()
        .enumerate()
        .map(|(place, tool)| load::tool(&binding, &loaded, (0, place), tool, &format!("tools[{place}]")));
    let tools = tools
        .collect::<Result<Vec<_>, _>>()
        .map_err(|fault| LoadError::of_binding(&binding, fault))?;
    Ok(LoadedDelegable {
        binding,
        loaded,
        tools,
    })
}

/// Nothing is ever executed by it: only its grants are asked. No binding of a bot has such a name.
fn as_binding(to: &BotName, delegable: &Delegable) -> Binding {
    Binding {
        name: format!("delegation/{}/{}/{}", to.namespace, to.name, delegable.resource),
        prefix: None,
        resource: delegable.resource.clone(),
        description: None,
        resource_type: delegable.resource_type.clone(),
        executor: String::new(),
        config: Value::Null,
        credential: None,
        runner: RunnerRef::Bot,
        dimensions: delegable.dimensions.clone(),
        tools: delegable.tools.clone(),
        grants: delegable.grants.clone(),
    }
}

impl Engine {
    /// Whether the bot may give work to another, and what then counts.
    pub(super) fn delegation(&self, to: &BotName) -> Option<&LoadedDelegation> {
        self.delegations.iter().find(|delegation| delegation.to == *to)
    }

    /// What it could hand on of a resource to the bot of this delegation.
    pub(super) fn handed_on<'a>(
        &'a self,
        delegation: &'a LoadedDelegation,
        resource: &str,
    ) -> Vec<Holding<'a>> {
        match &delegation.delegable {
            Some(delegable) => {
                let of = delegable.iter().filter(|item| item.binding.resource == resource);
                of.flat_map(LoadedDelegable::holdings).collect()
            }
            None => self.held(resource),
        }
    }

    /// The tools of its own bindings on a resource.
    fn held(&self, resource: &str) -> Vec<Holding<'_>> {
        let bindings = self.document.bindings.iter().zip(&self.bindings);
        let of = bindings.filter(|(binding, _)| binding.resource == resource);
        of.flat_map(|(binding, loaded)| {
            let entries = binding.tools.iter().filter_map(|tool| {
                self.tools
                    .get(&naming::final_name(binding.prefix.as_deref(), &tool.name))
            });
            entries.map(move |entry| Holding {
                binding,
                loaded,
                entry,
            })
        })
        .collect()
    }
}

impl LoadedDelegable {
    fn holdings(&self) -> impl Iterator<Item = Holding<'_>> {
        self.tools.iter().map(|entry| Holding {
            binding: &self.binding,
            loaded: &self.loaded,
            entry,
        })
    }
}
