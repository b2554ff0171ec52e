//! The boundary of a Workspace: what is wrong with it, and which grants are beyond it.

use monstrum_guardian::containment::{self, exceeding, validate_boundary};
use monstrum_guardian::source::{Grant, ResourceType};

use super::{Fault, reference};
use crate::conditions::Reason;
use crate::kinds::{Ceiling, Workspace};
use crate::world::World;

/// What is wrong with the entries, each under the types that it names.
pub(crate) fn faults(workspace: &Workspace, world: &World) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (place, entry) in workspace.spec.boundary.iter().flatten().enumerate() {
        let field = format!("spec.boundary[{place}]");
        for (number, name) in entry.resource_types.iter().enumerate() {
            match reference::known_type(&format!("{field}.resourceTypes[{number}]"), name, world) {
                Err(fault) => faults.push(fault),
                Ok(contract) => faults.extend(
                    validate_boundary(&contract.source, &ceiling(entry))
                        .into_iter()
                        .map(|fault| Fault::invalid(inner(&field, &fault.field), fault.message)),
                ),
            }
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

fn inner(field: &str, part: &str) -> String {
    if part.is_empty() {
        field.to_owned()
    } else {
        format!("{field}.{part}")
    }
}

/// The grants, of one resource type, that are not within the boundary of the namespace. `field` is where the fault of
/// `grants[i]` and what follows is.
pub(crate) fn excess(
    resource_type: &ResourceType,
    grants: &[Grant],
    world: &World,
    field: impl Fn(&str) -> String,
) -> Vec<Fault> {
    if grants.is_empty() {
        return Vec::new();
    }
    if world.is_workspace_unreadable {
        let message = "the Workspace can't be read, so that its boundary is not known: put Workspace \"workspace\" right";
        return vec![Fault::new(field("grants[0]"), message, Reason::NotPermitted)];
    }
    let Some(boundary) = world
        .workspace
        .as_ref()
        .and_then(|workspace| workspace.spec.boundary.as_ref())
    else {
        return Vec::new();
    };
    let boundary: Vec<_> = boundary.iter().map(ceiling).collect();
    exceeding(resource_type, &boundary, grants)
        .into_iter()
        .map(|fault| Fault::new(field(&fault.field), fault.message, Reason::NotPermitted))
        .collect()
}

/// In the engine's words.
pub(crate) fn ceiling(entry: &Ceiling) -> containment::Ceiling {
    containment::Ceiling {
        resource_types: entry.resource_types.clone(),
        operations: entry.operations.clone(),
        tools: entry.tools.clone(),
        scope: entry.scope.clone(),
    }
}
