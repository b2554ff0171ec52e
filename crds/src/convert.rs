//! From one namespace's objects to what the permission engine compiles, and to the settings that go with it.
//!
//! A bad object takes with it only what depends on it, and never adds anything: each step can only leave out. The
//! result depends on the objects alone, not on the order in which they came.

use std::collections::BTreeSet;

use kube::ResourceExt as _;
use monstrum_guardian::source::{BotName, BotSource};

use crate::conditions::Reason;
use crate::kinds::Bot;
use crate::object::Kind;
use crate::validate::{self, Fault};
use crate::world::World;

pub(crate) mod binding;
pub(crate) mod budget;
pub mod channel;
pub mod egress;
pub(crate) mod grant;
pub(crate) mod lineage;
pub mod resolved;
pub mod role;
pub mod version;

pub use channel::ChannelConversion;
pub use egress::ResolvedEgress;
pub use resolved::{Resolved, ResolvedGeneration, ResolvedLimits, ResolvedModel};

/// One bot's part of a world.
#[derive(Debug, Clone, PartialEq)]
pub struct BotConversion {
    /// What the permission engine compiles. Only what is right is in it.
    pub source: BotSource,
    /// Model, prompts and bounds; nothing if no usable model is chosen.
    pub resolved: Option<Resolved>,
    /// Names of the resources whose calls run in a sandbox of this bot's.
    pub sandboxes: BTreeSet<String>,
    /// What was left out and why, ordered, no two alike.
    pub faults: Vec<ObjectFault>,
}

/// A fault with the object that has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectFault {
    /// The object's kind.
    pub kind: Kind,
    /// The object's name.
    pub name: String,
    /// Where in the object.
    pub field: String,
    /// What is wrong and how to put it right.
    pub message: String,
    /// Which sort of wrong.
    pub reason: Reason,
    /// What is at the bottom of it.
    pub cause: Reason,
}

impl ObjectFault {
    /// A fault of an object.
    pub fn new(kind: Kind, name: impl Into<String>, fault: Fault) -> Self {
        Self {
            kind,
            name: name.into(),
            field: fault.field,
            message: fault.message,
            reason: fault.reason,
            cause: fault.cause,
        }
    }
}

impl std::fmt::Display for ObjectFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {:?}: {}: {}",
            self.kind, self.name, self.field, self.message
        )
    }
}

/// Converts the bot of this name; nothing if there is none.
pub fn bot(name: &str, world: &World) -> Option<BotConversion> {
    world.bots.get(name).map(|bot| converted(bot, world))
}

fn converted(bot: &Bot, world: &World) -> BotConversion {
    let name = bot.name_any();
    let mut faults = BTreeSet::new();
    let own = validate::bot::validate(bot, world);
    faults.extend(
        own.into_iter()
            .map(|fault| ObjectFault::new(Kind::Bot, &name, fault)),
    );
    let roles = role::held_by(bot, world, &mut faults);

    let mut bindings = Vec::new();
    let mut sandboxes = BTreeSet::new();
    for binding in world.bindings.values().filter(|binding| binding.spec.bot == name) {
        match binding::converted(binding, &roles, world) {
            Ok(source) => {
                if let monstrum_guardian::source::RunnerRef::Resource(resource) = &source.runner {
                    sandboxes.insert(resource.clone());
                }
                bindings.push(source);
            }
            Err(found) => faults.extend(
                found
                    .into_iter()
                    .map(|fault| ObjectFault::new(Kind::BotBinding, binding.name_any(), fault)),
            ),
        }
    }
    // The faults are those of the bot itself; what it may do is nothing until its budgets can be kept.
    let budgets = budget::of_bot(bot, world).ok();
    if budgets.is_none() {
        bindings.clear();
        sandboxes.clear();
    }
    BotConversion {
        source: BotSource {
            bot: BotName {
                namespace: world.namespace.clone(),
                name,
            },
            bindings,
            budgets: budgets.clone().unwrap_or_default(),
            delegations: Vec::new(),
        },
        resolved: budgets.and_then(|_| resolved::of(bot, world)),
        sandboxes,
        faults: faults.into_iter().collect(),
    }
}
