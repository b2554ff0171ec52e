//! What a compilation found out, for status and provisioning.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use monstrum_contract::Reach;
use monstrum_crds::convert::{BotConversion, ObjectFault, Resolved};
use monstrum_crds::kinds::Bot;
use monstrum_crds::object::Kind;
use monstrum_crds::validate::Fault;
use monstrum_crds::world::World;
use monstrum_guardian::Compilation;
use monstrum_guardian::source::RunnerRef;
use monstrum_wire::identity::BotId;

/// What one bot's compilation found out.
#[derive(Debug, Clone, PartialEq)]
pub struct BotFacts {
    /// Of which object.
    pub uid: Option<String>,
    /// Of which generation.
    pub generation: Option<i64>,
    /// The generations of the bindings that were looked at.
    pub bindings: BTreeMap<String, Option<i64>>,
    /// How many tools the bot sees.
    pub tools: usize,
    /// Model and bounds; nothing without a usable model.
    pub resolved: Option<Resolved>,
    /// The resources whose calls run in a sandbox.
    pub sandboxes: BTreeSet<String>,
    /// Where the bot's own runner's calls go, by resource.
    pub reaches: BTreeMap<String, Reach>,
    /// Everything that was left out.
    pub faults: Vec<ObjectFault>,
}

impl BotFacts {
    pub(super) fn new(bot: &Bot, conversion: BotConversion, compilation: Compilation, world: &World) -> Self {
        let name = &conversion.source.bot.name;
        let bindings = world
            .bindings
            .iter()
            .filter(|(_, binding)| binding.spec.bot == *name);
        let by_engine = compilation.faults.into_iter().map(|fault| {
            let about = Fault::invalid(format!("spec.{}", fault.field), fault.message);
            ObjectFault::new(Kind::BotBinding, fault.binding, about)
        });
        let of_bot = compilation.bot_faults.into_iter().map(|fault| {
            let about = Fault::invalid(format!("spec.{}", fault.field), fault.message);
            ObjectFault::new(Kind::Bot, name, about)
        });
        let mut faults: Vec<ObjectFault> = conversion
            .faults
            .into_iter()
            .chain(by_engine)
            .chain(of_bot)
            .collect();
        faults.sort();
        faults.dedup();
        let of_runner = compilation.document.bindings.iter();
        let reaches = of_runner
            .filter(|binding| binding.runner == RunnerRef::Bot)
            .filter_map(|binding| {
                let contract = world.resource_types.get(&binding.resource_type)?;
                Some((binding.resource.clone(), contract.reach(&binding.config)))
            });
        Self {
            uid: bot.metadata.uid.clone(),
            generation: bot.metadata.generation,
            bindings: bindings
                .map(|(name, binding)| (name.clone(), binding.metadata.generation))
                .collect(),
            tools: compilation
                .document
                .bindings
                .iter()
                .map(|binding| binding.tools.len())
                .sum(),
            reaches: reaches.collect(),
            resolved: conversion.resolved,
            sandboxes: conversion.sandboxes,
            faults,
        }
    }

    /// What was left out because of one object.
    pub fn faults_of(&self, kind: Kind, name: &str) -> Vec<Fault> {
        let of = self
            .faults
            .iter()
            .filter(|fault| fault.kind == kind && fault.name == name);
        of.map(|fault| Fault::new(&fault.field, &fault.message, fault.reason).caused_by(fault.cause))
            .collect()
    }

    /// The bindings that were left out.
    pub fn left_out(&self) -> BTreeSet<&str> {
        let bindings = self.faults.iter().filter(|fault| fault.kind == Kind::BotBinding);
        bindings.map(|fault| fault.name.as_str()).collect()
    }
}

/// The facts of all bots.
#[derive(Debug, Default)]
pub struct Facts {
    bots: Mutex<BTreeMap<(String, String), Arc<BotFacts>>>,
}

impl Facts {
    pub(crate) fn put(&self, bot: &BotId, facts: BotFacts) {
        let mut bots = self.bots.lock().unwrap_or_else(PoisonError::into_inner);
        bots.insert((bot.namespace.clone(), bot.name.clone()), Arc::new(facts));
    }

    pub(crate) fn remove(&self, bot: &BotId) {
        let mut bots = self.bots.lock().unwrap_or_else(PoisonError::into_inner);
        bots.remove(&(bot.namespace.clone(), bot.name.clone()));
    }

    /// One bot's; nothing before its first compilation.
    pub fn of(&self, namespace: &str, name: &str) -> Option<Arc<BotFacts>> {
        let bots = self.bots.lock().unwrap_or_else(PoisonError::into_inner);
        bots.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }
}
