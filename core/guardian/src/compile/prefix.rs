//! Which bindings prefix their tools' names, and with what.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::{Fault, FieldFault};
use crate::naming;
use crate::source::BindingSource;

/// The prefix of each binding, in their order. Bindings of one resource type are told apart by alias or resource, also
/// where one of them has a fault: a fault renames nobody's tools.
pub(super) fn prefixes(bindings: &[BindingSource], faults: &mut BTreeSet<Fault>) -> Vec<Option<String>> {
    let siblings = |binding: &BindingSource| {
        bindings
            .iter()
            .filter(|other| other.resource_type.name == binding.resource_type.name)
            .count()
            > 1
    };
    let prefixes: Vec<Option<String>> = bindings
        .iter()
        .map(|binding| {
            let name = binding
                .alias
                .as_ref()
                .or_else(|| siblings(binding).then_some(&binding.resource))?;
            Some(naming::sanitised(name))
        })
        .collect();
    let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (binding, prefix) in bindings.iter().zip(&prefixes) {
        let Some(prefix) = prefix else { continue };
        if prefix.is_empty() {
            faults.insert(
                FieldFault::new("alias", "the alias is empty; choose another").of_binding(&binding.name, ""),
            );
        }
        owners.entry(prefix).or_default().insert(&binding.name);
    }
    for (prefix, owners) in owners.into_iter().filter(|(_, owners)| owners.len() > 1) {
        for owner in &owners {
            let others: Vec<_> = owners.iter().filter(|other| *other != owner).copied().collect();
            let message = format!(
                "the prefix {prefix} is also that of binding {}; choose another alias",
                others.join(", ")
            );
            faults.insert(FieldFault::new("alias", message).of_binding(owner, ""));
        }
    }
    prefixes
}
