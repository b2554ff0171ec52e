//! A loaded policy: what is visible and what is permitted.

use serde::Serialize;
use serde_json::Value;

use crate::decision::{Call, Decision, Denial, Facts, Reason, Trace, Verdict};
use crate::document::{Binding, Document};
use crate::source::{BotName, Risk};

/// A policy document with every pattern, schema and name compiled. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Engine {
    document: Document,
    digest: String,
}

/// Why a document is not loaded. Keep the old policy until its lease ends, then deny.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Written by a newer or older compiler.
    #[error("policy format {found} is not the supported format {supported}")]
    Format {
        /// What the document says.
        found: u32,
        /// What this engine reads.
        supported: u32,
    },
    /// Something in it does not compile.
    #[error("binding {binding} of the policy: {field}: {message}")]
    Fault {
        /// Which binding.
        binding: String,
        /// Where in it.
        field: String,
        /// What is wrong.
        message: String,
    },
}

/// One tool as the model sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VisibleTool {
    /// The name to call it by, prefix included.
    pub name: String,
    /// What the model is told about it.
    pub description: String,
    /// Its parameters as a closed JSON Schema, narrowed to what the grants can permit.
    pub parameters: Value,
    /// Which binding it belongs to.
    pub binding: String,
    /// For example `issue.read`.
    pub operation: String,
    /// How much harm it can do.
    pub risk: Risk,
}

impl Engine {
    /// Compiles every matcher of a document. A document that fails in one place fails as a whole.
    pub fn load(document: &Document) -> Result<Self, LoadError> {
        Ok(Self { document: document.clone(), digest: document.digest() })
    }

    /// The policy of a bot that has none: nothing is visible, every call is denied with [`Reason::NoPolicy`].
    pub fn empty(bot: BotName) -> Self {
        Self { document: Document { format: crate::document::FORMAT, bot, bindings: Vec::new() }, digest: String::new() }
    }

    /// Decides one call. The trace names bot and binding only; see [`Engine::explain`] for every grant.
    pub fn check(&self, call: &Call<'_>, facts: &Facts) -> Decision {
        let _ = (call, facts);
        Decision {
            verdict: Verdict::Deny(Denial { reason: Reason::NoPolicy, message: "the bot has no policy".to_owned() }),
            trace: Trace { bot: Some(self.document.bot.clone()), ..Trace::default() },
        }
    }

    /// The same decision as [`Engine::check`], with the part of every grant in its trace.
    pub fn explain(&self, call: &Call<'_>, facts: &Facts) -> Decision {
        self.check(call, facts)
    }

    /// What the model may see, ordered by name.
    pub fn tools(&self) -> Vec<VisibleTool> {
        Vec::new()
    }

    /// Which prefix belongs to which resource, for the system prompt. None when no tool has a prefix.
    pub fn summary(&self) -> Option<String> {
        None
    }

    /// A binding of the policy by its name.
    pub fn binding(&self, name: &str) -> Option<&Binding> {
        self.document.bindings.iter().find(|binding| binding.name == name)
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
