//! Which grants a bot has from its roles.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt as _;
use monstrum_guardian::source;

use super::lineage::{self, Lineage};
use super::{ObjectFault, grant};
use crate::kinds::{Bot, BotRole};
use crate::object::Kind;
use crate::validate::{Fault, bot_role};
use crate::world::World;

/// The roles that grant a bot something, by name, with the faults of each.
pub(crate) type Held<'a> = BTreeMap<String, (&'a BotRole, Vec<Fault>)>;

/// The roles that a bot has, inherited ones included. One with a fault of its own making is left out, with what is
/// inherited through it; a parent that is not there takes only itself away.
pub(crate) fn held_by<'a>(bot: &Bot, world: &'a World, faults: &mut BTreeSet<ObjectFault>) -> Held<'a> {
    let mut held = Held::new();
    for role in bot.spec.roles.iter().filter_map(|name| world.roles.get(name)) {
        for member in usable_line(role, world) {
            let name = member.name_any();
            let found = bot_role::validate(member, world);
            faults.extend(
                found
                    .iter()
                    .cloned()
                    .map(|fault| ObjectFault::new(Kind::BotRole, &name, fault)),
            );
            if found.iter().any(|fault| !fault.reason.is_about_refs()) {
                break;
            }
            held.insert(name, (member, found));
        }
        // A line that is refused as a whole still has its faults told.
        let own = bot_role::validate(role, world);
        faults.extend(
            own.into_iter()
                .map(|fault| ObjectFault::new(Kind::BotRole, role.name_any(), fault)),
        );
    }
    held
}

fn usable_line<'a>(role: &'a BotRole, world: &'a World) -> Vec<&'a BotRole> {
    match lineage::of(role, world) {
        Lineage::Complete(line) | Lineage::MissingParent { found: line, .. } => line,
        Lineage::Circle(_) | Lineage::TooDeep => Vec::new(),
    }
}

/// What roles grant on one resource.
pub(crate) fn grants_on(held: &Held<'_>, resource: &str, resource_type: &str) -> Vec<source::Grant> {
    let mut grants = Vec::new();
    for (name, (role, faults)) in held {
        for (index, granted) in role.spec.grants.iter().enumerate() {
            let field = format!("spec.grants[{index}]");
            let is_faulty = faults
                .iter()
                .any(|fault| fault.field.starts_with(&format!("{field}.")));
            if is_faulty || !granted.is_for(resource, resource_type) {
                continue;
            }
            // A grant that can't be written down has a fault, and was left out above.
            grants.extend(grant::source(&granted.grant(), &format!("role/{name}#{index}"), &field).ok());
        }
    }
    grants
}
