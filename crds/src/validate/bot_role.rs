//! What is wrong with a `BotRole`.

use kube::ResourceExt as _;
use monstrum_guardian::source;

use super::{Fault, boundary, reference};
use crate::conditions::Reason;
use crate::convert::grant;
use crate::convert::lineage::{self, Lineage};
use crate::kinds::{BotRole, RoleGrant};
use crate::object::Kind;
use crate::world::World;

/// Its parents must be there and end somewhere, its grants must fit the resource types that they are for and be
/// within the boundary.
pub fn validate(role: &BotRole, world: &World) -> Vec<Fault> {
    let grants = role.spec.grants.iter().enumerate();
    let mut faults: Vec<_> = grants
        .flat_map(|(index, grant)| grant_faults(&format!("spec.grants[{index}]"), grant, world))
        .collect();
    faults.extend(parent_fault(role, world));
    faults
}

fn parent_fault(role: &BotRole, world: &World) -> Option<Fault> {
    match lineage::of(role, world) {
        Lineage::Complete(_) => None,
        Lineage::MissingParent { of, parent, .. } if of == role.name_any() => {
            Some(reference::missing("spec.parent", Kind::BotRole, &parent))
        }
        Lineage::MissingParent { of, parent, .. } => Some(Fault::new(
            "spec.parent",
            format!("its ancestor {of:?} names BotRole {parent:?}, which is not there: create it"),
            Reason::RefInvalid,
        )),
        Lineage::Circle(names) => Some(Fault::new(
            "spec.parent",
            format!(
                "roles inherit from each other in a circle ({}): remove one parent",
                names.join(" → ")
            ),
            Reason::Cycle,
        )),
        Lineage::TooDeep => Some(Fault::invalid(
            "spec.parent",
            format!(
                "more than {} roles inherit from each other: remove a parent",
                lineage::MAX_DEPTH
            ),
        )),
    }
}

fn grant_faults(field: &str, grant: &RoleGrant, world: &World) -> Vec<Fault> {
    let contract = match reference::contract(&format!("{field}.resourceType"), &grant.resource_type, world) {
        Ok(contract) => contract,
        // Not a fault of the role: a grant for a type that can't be used here permits nothing, the others stand.
        Err(fault) if fault.reason.is_about_refs() => return vec![fault],
        Err(fault) => {
            return vec![Fault {
                reason: Reason::RefInvalid,
                ..fault
            }];
        }
    };
    let source = match grant::source(&grant.grant(), field, field) {
        Ok(source) => source,
        Err(faults) => return faults,
    };
    let faults = faults_of(&contract.source, std::slice::from_ref(&source), field);
    if faults.is_empty() {
        boundary::excess(&contract.source, &[source], world, |place| inner(field, place))
    } else {
        faults
    }
}

/// The engine's faults of one grant, at `field`.
fn faults_of(resource_type: &source::ResourceType, grant: &[source::Grant], field: &str) -> Vec<Fault> {
    monstrum_guardian::validate_grants(resource_type, grant)
        .into_iter()
        .map(|fault| Fault::invalid(inner(field, &fault.field), fault.message))
        .collect()
}

/// What the engine calls `grants[0].…` of the one grant at `field`.
fn inner(field: &str, place: &str) -> String {
    format!("{field}{}", place.strip_prefix("grants[0]").unwrap_or(place))
}
