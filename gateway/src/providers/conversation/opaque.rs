//! State of a provider's own that came with an answer and that it wants back with it, unread: reasoning, signatures.
//!
//! It goes back to the model that it came from and to no other, whole or not at all: a provider verifies it, so that half of it,
//! or a form of it that was scrubbed, is worth a refusal. Where some providers insist on a field, its documented stand-in goes
//! in its place.

use std::collections::BTreeMap;

use monstrum_scrub::Scrubber;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// More state than this, as JSON, is not kept.
const MAX_BYTES: usize = 256 << 10;

/// A message's field that DeepSeek and Moonshot insist on beside calls; they take an empty one.
pub const REASONING_CONTENT: &str = "reasoning_content";
/// A call's field that Google's OpenAI dialect has its signatures in.
pub const EXTRA_CONTENT: &str = "extra_content";

/// What a provider wants back with one answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Opaque {
    /// Fields of the answer's message, by name: `reasoning_content`, `reasoning_details`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub message: Map<String, Value>,
    /// Fields of its calls, by the call's place in the answer, from 0: `extra_content`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub calls: BTreeMap<usize, Map<String, Value>>,
    /// Whole blocks that stand between text and calls, in their order: `thinking`, `redacted_thinking`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
}

/// A block of a provider's own in an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Block {
    /// How many bytes of the answer's text stand before it.
    pub text: usize,
    /// How many of the answer's calls stand before it.
    pub calls: usize,
    /// The block as it was sent.
    pub content: Value,
}

impl Opaque {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.message.is_empty() && self.calls.is_empty() && self.blocks.is_empty()
    }

    /// How many bytes it has as it is kept.
    pub fn size(&self) -> usize {
        if self.is_empty() {
            return 0;
        }
        serde_json::to_string(self).map_or(usize::MAX, |json| json.len())
    }

    /// What may be kept and sent back: all of it, or nothing where it is too large or the scrubber would alter it.
    #[must_use]
    pub fn guarded(self, scrubber: &Scrubber) -> Self {
        if self.is_empty() {
            return self;
        }
        let json = serde_json::to_string(&self).unwrap_or_default();
        let why = if json.len() > MAX_BYTES {
            "it is too large"
        } else if holds_secret(scrubber, &json) || self.texts().any(|text| holds_secret(scrubber, text)) {
            "it holds a secret"
        } else {
            return self;
        };
        tracing::info!(why, "the provider's state of an answer is not kept");
        self.stand_in()
    }

    /// What providers document for state that is gone, where they insist on some.
    fn stand_in(self) -> Self {
        let mut state = Self::default();
        if self.message.contains_key(REASONING_CONTENT) {
            state.message.insert(REASONING_CONTENT.to_owned(), json!(""));
        }
        for (at, fields) in self.calls {
            if fields.contains_key(EXTRA_CONTENT) {
                state.calls.insert(at, unsigned());
            }
        }
        state
    }

    /// Every text in it, names included.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let fields = std::iter::once(&self.message).chain(self.calls.values());
        let mut texts = Vec::new();
        for (name, value) in fields.flatten() {
            texts.push(name.as_str());
            collect(value, &mut texts);
        }
        for block in &self.blocks {
            collect(&block.content, &mut texts);
        }
        texts.into_iter()
    }
}

/// What Google documents for a call without a signature of the model's own.
pub fn unsigned() -> Map<String, Value> {
    let content = json!({ "google": { "thought_signature": "skip_thought_signature_validator" } });
    Map::from_iter([(EXTRA_CONTENT.to_owned(), content)])
}

fn holds_secret(scrubber: &Scrubber, text: &str) -> bool {
    scrubber.text(text) != text
}

fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            texts.push(name);
            collect(value, texts);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn scrubber() -> Scrubber {
        Scrubber::new([b"hunter2-secret".as_slice(), b"4815162342".as_slice()])
    }

    fn message(name: &str, value: Value) -> Opaque {
        let mut state = Opaque::default();
        state.message.insert(name.to_owned(), value);
        state
    }

    fn call(value: Value) -> Opaque {
        let mut state = Opaque::default();
        let field = Map::from_iter([("extra_content".to_owned(), value)]);
        state.calls.insert(1, field);
        state
    }

    fn block(content: Value) -> Opaque {
        Opaque {
            blocks: vec![Block {
                text: 0,
                calls: 0,
                content,
            }],
            ..Opaque::default()
        }
    }

    #[rstest]
    #[case::reasoning(message("reasoning_content", json!("I should look.\n\"Quoted\" \u{1f600}")))]
    #[case::signature(call(json!({"google": {"thought_signature": "Q8Uf+/=="}})))]
    #[case::thinking(block(json!({"type": "thinking", "thinking": "", "signature": "EqoB"})))]
    #[case::nothing(Opaque::default())]
    fn state_without_secrets_is_kept_as_it_is(#[case] state: Opaque) {
        assert_eq!(state.clone().guarded(&scrubber()), state);
        let kept: Opaque = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        assert_eq!(kept, state);
    }

    #[rstest]
    #[case::plain(message("reasoning", json!("the key is hunter2-secret")))]
    #[case::deep(message("reasoning_details", json!([{"text": ["x", {"y": "hunter2-secret"}]}])))]
    #[case::block(block(json!({"type": "thinking", "thinking": "hunter2-secret", "signature": "s"})))]
    #[case::encoded(block(json!({"data": "aHVudGVyMi1zZWNyZXQ="})))]
    #[case::number(message("reasoning_details", json!({"n": 4_815_162_342_u64})))]
    #[case::too_large(message("reasoning", json!("x".repeat(MAX_BYTES))))]
    fn state_that_scrubbing_would_alter_or_that_is_too_large_is_dropped_whole(#[case] state: Opaque) {
        assert!(state.guarded(&scrubber()).is_empty());
    }

    /// Without a field that it insists on, a provider would refuse every later request of the session.
    #[rstest]
    #[case(message("reasoning_content", json!("the key is hunter2-secret")), message("reasoning_content", json!("")))]
    #[case(
        call(json!({"hunter2-secret": 1})),
        call(json!({"google": {"thought_signature": "skip_thought_signature_validator"}}))
    )]
    fn what_a_provider_insists_on_gets_its_stand_in(#[case] state: Opaque, #[case] expected: Opaque) {
        assert_eq!(state.guarded(&scrubber()), expected);
    }
}
