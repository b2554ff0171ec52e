//! Guardian: the whole check, with schema, canonical forms, the permit and its trace.

use monstrum_guardian::decision::{Call, Facts, Verdict};
use monstrum_guardian::{Engine, compile};

use super::Peer;
use crate::rule;

/// A bot with so many grants.
pub struct Guardian {
    engine: Engine,
    facts: Facts,
}

impl Guardian {
    /// Compiles and loads them.
    pub fn new(policies: usize) -> Self {
        let compiled = compile(&rule::bot(policies));
        assert_eq!(compiled.faults, []);
        Self {
            engine: Engine::load(&compiled.document).unwrap_or_else(|error| panic!("loads: {error}")),
            facts: Facts::default(),
        }
    }
}

impl Peer for Guardian {
    fn permits(&mut self, arguments: &str) -> bool {
        let call = Call {
            tool: rule::TOOL,
            arguments,
        };
        matches!(self.engine.check(&call, &self.facts).verdict, Verdict::Allow(_))
    }
}
