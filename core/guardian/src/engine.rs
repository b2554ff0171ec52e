//! A loaded policy: what is visible and what is permitted.

mod binding;
mod check;
mod explain;
mod grant_set;
mod index;
mod load;
mod narrowing;
mod reading;
mod visible;

use std::collections::HashMap;

use crate::decision::{Call, Decision, Facts};
use crate::document::{Binding, Document, FORMAT};
use crate::source::BotName;

pub use load::LoadError;
pub use visible::VisibleTool;

/// A policy document with every pattern, schema and name compiled. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Engine {
    document: Document,
    /// Empty for a bot without policy.
    digest: String,
    /// In the order of the document.
    bindings: Vec<binding::LoadedBinding>,
    /// By the name that the model uses.
    tools: HashMap<String, binding::LoadedTool>,
    /// Ordered by name.
    visible: Vec<VisibleTool>,
}

impl Engine {
    /// Compiles every matcher of a document. A document that fails in one place fails as a whole.
    pub fn load(document: &Document) -> Result<Self, LoadError> {
        load::load(document)
    }

    /// The policy of a bot that has none: nothing is visible, every call is denied with
    /// [`NoPolicy`](crate::decision::Reason::NoPolicy).
    pub fn empty(bot: BotName) -> Self {
        Self {
            document: Document {
                format: FORMAT,
                bot,
                bindings: Vec::new(),
            },
            digest: String::new(),
            bindings: Vec::new(),
            tools: HashMap::new(),
            visible: Vec::new(),
        }
    }

    /// Decides one call. The trace names the bot, the binding and what went wrong before any grant was looked at; see
    /// [`Engine::explain`] for the part of every grant.
    pub fn check(&self, call: &Call<'_>, facts: &Facts) -> Decision {
        self.decide(call, facts)
    }

    /// The same verdict as [`Engine::check`], with the part of every grant in its trace. For people: it takes time for
    /// every grant of the binding.
    pub fn explain(&self, call: &Call<'_>, facts: &Facts) -> Decision {
        self.decide_and_explain(call, facts)
    }

    /// What the model may see, ordered by name.
    pub fn tools(&self) -> Vec<VisibleTool> {
        self.visible.clone()
    }

    /// Which prefix belongs to which resource, for the system prompt. None when no tool has a prefix.
    pub fn summary(&self) -> Option<String> {
        visible::summary(&self.document)
    }

    /// A binding of the policy by its name.
    pub fn binding(&self, name: &str) -> Option<&Binding> {
        self.document.bindings.iter().find(|binding| binding.name == name)
    }

    /// The policy that was loaded.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The document's digest, `sha256:<hex>`; empty for a bot without policy.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Whose policy this is.
    pub fn bot(&self) -> &BotName {
        &self.document.bot
    }
}
