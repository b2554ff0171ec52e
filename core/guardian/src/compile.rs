//! From sources to the policy document.

use crate::document::{Document, FORMAT};
use crate::fault::Fault;
use crate::source::BotSource;

/// A policy, and what was left out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Compilation {
    /// The policy of every binding without a fault.
    pub document: Document,
    /// Ordered, no two alike. Each names a binding that the document does not hold.
    pub faults: Vec<Fault>,
}

/// Compiles one bot's policy. Pure: the same sources in any order give the same bytes.
pub fn compile(source: &BotSource) -> Compilation {
    Compilation { document: Document { format: FORMAT, bot: source.bot.clone(), bindings: Vec::new() }, faults: Vec::new() }
}
