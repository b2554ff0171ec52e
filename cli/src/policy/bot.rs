//! One bot's policy.

use std::sync::Arc;

use monstrum_crds::world::World;
use monstrum_guardian::decision::Facts;
use monstrum_guardian::document::{Binding, Document};
use monstrum_guardian::source::{BotSource, Tool};
use monstrum_guardian::{Engine, compile};

use crate::failure::Failure;

/// What one bot's objects amount to.
#[derive(Debug)]
pub(crate) struct BotPolicy {
    /// What it was compiled from.
    pub(crate) source: BotSource,
    /// The policy.
    pub(crate) document: Document,
    /// The policy, loaded.
    pub(crate) engine: Engine,
    /// What the compiler left out, and why.
    pub(crate) faults: Vec<monstrum_guardian::Fault>,
    /// The objects of its namespace.
    pub(crate) world: Arc<World>,
}

impl BotPolicy {
    /// Compiles and loads.
    pub(crate) fn compile(source: BotSource, world: Arc<World>) -> Result<Self, Failure> {
        let compilation = compile(&source);
        let engine = Engine::load(&compilation.document).map_err(|error| Failure::Load {
            bot: source.bot.name.clone(),
            source: error,
        })?;
        Ok(Self {
            source,
            document: compilation.document,
            engine,
            faults: compilation.faults,
            world,
        })
    }

    /// Whether it is suspended, so that nothing of its policy is enforced.
    pub(crate) fn is_suspended(&self) -> bool {
        let bot = self.world.bots.get(&self.source.bot.name);
        bot.is_some_and(|bot| bot.spec.suspend)
    }

    /// What must be said beside whatever follows from the objects of a suspended bot.
    pub(crate) fn suspension(&self) -> Option<String> {
        let words = "the bot is suspended: nothing is permitted until its spec.suspend is false";
        self.is_suspended().then(|| words.to_owned())
    }

    /// `namespace/name`.
    pub(crate) fn title(&self) -> String {
        format!("{}/{}", self.source.bot.namespace, self.source.bot.name)
    }

    /// The tool that a bot calls by this name, with its binding.
    pub(crate) fn tool(&self, name: &str) -> Option<(&Binding, &Tool)> {
        self.document.bindings.iter().find_map(|binding| {
            let tool = binding
                .tools
                .iter()
                .find(|tool| seen_name(binding, tool) == name)?;
            Some((binding, tool))
        })
    }

    /// The present, with nothing used of any quota or budget.
    pub(crate) fn fresh_facts(&self, now: jiff::Timestamp) -> Facts {
        let counters = self.engine.counters().into_iter();
        Facts {
            now,
            used: counters.map(|counter| (counter.key, 0)).collect(),
        }
    }
}

/// The name that a bot calls a tool by.
pub(crate) fn seen_name(binding: &Binding, tool: &Tool) -> String {
    match &binding.prefix {
        Some(prefix) => format!("{prefix}__{}", tool.name),
        None => tool.name.clone(),
    }
}
