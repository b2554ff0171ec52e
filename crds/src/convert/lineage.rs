//! A role and those that it inherits from.

use kube::ResourceExt as _;

use crate::kinds::BotRole;
use crate::world::World;

/// The most roles in a line, the first one included.
pub(crate) const MAX_DEPTH: usize = 8;

/// A role's line of inheritance.
#[derive(Debug, PartialEq)]
pub(crate) enum Lineage<'a> {
    /// From the role itself to the last ancestor.
    Complete(Vec<&'a BotRole>),
    /// It ends in a name that nothing has.
    MissingParent {
        /// From the role itself to the one that names what is missing.
        found: Vec<&'a BotRole>,
        /// The name of the role that names it.
        of: String,
        /// What is missing.
        parent: String,
    },
    /// It comes back to itself: the names in order, the first one again at the end.
    Circle(Vec<String>),
    /// It has more than [`MAX_DEPTH`] roles.
    TooDeep,
}

/// The line of a role, which need not be in the world itself.
pub(crate) fn of<'a>(role: &'a BotRole, world: &'a World) -> Lineage<'a> {
    let mut line = vec![role];
    let mut names = vec![role.name_any()];
    let mut last = role;
    while let Some(parent) = &last.spec.parent {
        if names.contains(parent) {
            names.push(parent.clone());
            return Lineage::Circle(names);
        }
        if line.len() == MAX_DEPTH {
            return Lineage::TooDeep;
        }
        let Some(next) = world.roles.get(parent) else {
            return Lineage::MissingParent {
                found: line,
                of: last.name_any(),
                parent: parent.clone(),
            };
        };
        line.push(next);
        names.push(parent.clone());
        last = next;
    }
    Lineage::Complete(line)
}
