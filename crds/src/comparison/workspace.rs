//! The ceilings of a namespace. None of them permits anything by itself; one that is lifted lets others permit more.

use ipnet::IpNet;
use monstrum_guardian::containment::exceeding;
use monstrum_guardian::{address, destination, source};

use super::Change;
use crate::kinds::{Ceiling, WorkspaceSpec, workspace::NAME};
use crate::object::Kind;
use crate::validate::boundary;
use crate::world::World;

/// What changed of the namespace's ceilings.
pub(super) fn changes(old: &World, new: &World) -> Vec<Change> {
    let absent = WorkspaceSpec::default();
    let spec = |world: &'_ World| world.workspace.as_ref().map(|workspace| workspace.spec.clone());
    let (before, after) = (
        spec(old).unwrap_or_else(|| absent.clone()),
        spec(new).unwrap_or(absent),
    );
    let ceilings = [
        ceiling(
            "spec.boundary",
            (before.boundary.as_deref(), after.boundary.as_deref()),
            |old, entries| of_boundary(old, entries, new),
        ),
        ceiling(
            "spec.permittedHosts",
            (
                before.permitted_hosts.as_deref(),
                after.permitted_hosts.as_deref(),
            ),
            |old, hosts| destination::excess(hosts, old),
        ),
        ceiling(
            "spec.permittedAddresses",
            (
                before.permitted_addresses.as_deref(),
                after.permitted_addresses.as_deref(),
            ),
            of_addresses,
        ),
        ceiling(
            "spec.permittedResourceTypes",
            (
                before.permitted_resource_types.as_deref(),
                after.permitted_resource_types.as_deref(),
            ),
            |old, types| types.iter().find(|name| !old.contains(name)).cloned(),
        ),
    ];
    ceilings.into_iter().flatten().collect()
}

/// How one ceiling changed; `beyond` says what the new one permits and the old one does not.
fn ceiling<T: PartialEq>(
    field: &str,
    (old, new): (Option<&[T]>, Option<&[T]>),
    beyond: impl Fn(&[T], &[T]) -> Option<String>,
) -> Option<Change> {
    let (what, may_widen) = match (old, new) {
        (None, None) => return None,
        (None, Some(_)) => ("is new: a ceiling that was not there".to_owned(), false),
        (Some(_), None) => ("is removed: there is no such ceiling any more".to_owned(), true),
        (Some(old), Some(new)) if old == new => return None,
        (Some(old), Some(new)) => match beyond(old, new) {
            Some(beyond) => (format!("is raised: {beyond}"), true),
            None => ("is narrower, or says the same in other words".to_owned(), false),
        },
    };
    Some(Change::new(Kind::Workspace, NAME, field, what, may_widen))
}

/// Each entry must be within an old one, for each type that it is about. Of a type that is not there nothing is known.
fn of_boundary(old: &[Ceiling], new: &[Ceiling], world: &World) -> Option<String> {
    let before: Vec<_> = old.iter().map(boundary::ceiling).collect();
    let more = new.iter().filter(|entry| !old.contains(entry));
    more.flat_map(|entry| entry.resource_types.iter().map(move |name| (entry, name)))
        .find_map(|(entry, name)| {
            let Some(contract) = world.resource_types.get(name) else {
                return Some(format!("an entry for {name}, of which nothing is known"));
            };
            let granted = source::Grant {
                operations: entry.operations.clone(),
                tools: entry.tools.clone(),
                scope: entry.scope.clone(),
                ..source::Grant::default()
            };
            let beyond = exceeding(&contract.source, &before, &[granted])
                .into_iter()
                .next()?;
            let words = beyond.message.split(';').next().unwrap_or_default().to_owned();
            Some(format!("an entry for {name}: {words}"))
        })
}

fn of_addresses(old: &[String], new: &[String]) -> Option<String> {
    let ranges: Vec<IpNet> = old.iter().filter_map(|text| address::range(text)).collect();
    let within = |text: &&String| {
        address::range(text).is_some_and(|range| ranges.iter().any(|bound| bound.contains(&range)))
    };
    new.iter().find(|text| !within(text)).cloned()
}
