//! A loaded policy: what is visible and what is permitted.

mod binding;
mod chain;
mod check;
mod delegation;
mod explain;
mod grant_set;
mod index;
mod load;
mod narrowing;
mod reading;
mod usage;
mod visible;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decision::{Admission, Call, Counter, Decision, Estimate, Facts};
use crate::document::{Binding, Document};
use crate::source::BotName;

pub use chain::{Chain, MAX_LINKS};
pub use load::LoadError;
pub use visible::VisibleTool;

/// A policy document with every pattern, schema and name compiled. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Engine {
    document: Document,
    /// The document's, for traces.
    bot: Arc<BotName>,
    /// Empty for a bot without policy.
    digest: String,
    /// In the order of the document.
    bindings: Vec<binding::LoadedBinding>,
    /// By the name that the model uses.
    tools: BTreeMap<String, binding::LoadedTool>,
    /// Ordered by name.
    visible: Vec<VisibleTool>,
    /// In the order of the document.
    delegations: Vec<delegation::LoadedDelegation>,
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
            bot: Arc::new(bot.clone()),
            document: Document::empty(bot),
            digest: String::new(),
            bindings: Vec::new(),
            tools: BTreeMap::new(),
            visible: Vec::new(),
            delegations: Vec::new(),
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

    /// Whether a request to the model may be made that uses at most `estimate`. It is reserved before the request is sent, and
    /// settled by what was really used after it.
    pub fn admit(&self, estimate: &Estimate, facts: &Facts) -> Admission {
        self.admission(estimate, facts)
    }

    /// The counters that a decision on calls of this binding may depend on: its grants' quotas, and every budget of calls.
    pub fn counters_of_calls(&self, binding: &str) -> Vec<Counter> {
        let grants = self.binding(binding).into_iter();
        let quotas = grants.flat_map(|binding| usage::of_grants(&self.document.bot, binding));
        quotas.chain(self.of_budgets(usage::is_of_calls)).collect()
    }

    /// Every counter that some decision may depend on.
    pub fn counters(&self) -> Vec<Counter> {
        let bindings = self.document.bindings.iter();
        let quotas = bindings.flat_map(|binding| usage::of_grants(&self.document.bot, binding));
        quotas.chain(self.of_budgets(|_| true)).collect()
    }

    /// The counters that [`Engine::admit`] depends on.
    pub fn counters_of_requests(&self) -> Vec<Counter> {
        self.of_budgets(usage::is_of_requests).collect()
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
