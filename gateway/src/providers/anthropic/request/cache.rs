//! Marks up to which the provider keeps a request, so that the next one need not pay for the same beginning: <https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching>.
//!
//! Four at most: the last tool, the system prompt, and the end of what both sides said so far, now and one round earlier (a long
//! round leaves the older mark too far behind to be found without a mark of its own).

use monstrum_wire::policy::{PromptCache, RequestShape};
use serde_json::{Value, json};

/// How one request is marked.
#[derive(Debug)]
pub(super) struct Marks {
    mark: Option<Value>,
}

impl Marks {
    pub(super) fn of(shape: &RequestShape) -> Self {
        let mark = match shape.prompt_cache() {
            PromptCache::Off => None,
            PromptCache::Unspecified | PromptCache::FiveMinutes => Some(json!({ "type": "ephemeral" })),
            PromptCache::OneHour => Some(json!({ "type": "ephemeral", "ttl": "1h" })),
        };
        Self { mark }
    }

    /// Marks one block.
    pub(super) fn block(&self, mut block: Value) -> Value {
        self.set(&mut block);
        block
    }

    /// Marks the last of several.
    pub(super) fn last(&self, mut blocks: Vec<Value>) -> Vec<Value> {
        if let Some(last) = blocks.last_mut() {
            self.set(last);
        }
        blocks
    }

    /// Marks the ends of the two newest messages of the user's side; results of calls are among them.
    pub(super) fn conversation(&self, mut messages: Vec<Value>) -> Vec<Value> {
        let newest = messages
            .iter_mut()
            .rev()
            .filter(|message| message.get("role").and_then(Value::as_str) == Some("user"));
        for message in newest.take(2) {
            let blocks = message.get_mut("content").and_then(Value::as_array_mut);
            if let Some(last) = blocks.and_then(|blocks| blocks.last_mut()) {
                self.set(last);
            }
        }
        messages
    }

    fn set(&self, block: &mut Value) {
        if let (Some(mark), Value::Object(block)) = (&self.mark, block) {
            block.insert("cache_control".to_owned(), mark.clone());
        }
    }
}
