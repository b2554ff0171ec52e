//! What is said to a model and what it answers, in this project's own words.

mod image;
mod opaque;

use monstrum_wire::policy::{Model, Prices, ToolChoice};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use image::{Image, ImageFault, MAX_IMAGES, MAX_IMAGES_BYTES, MediaType};
pub use opaque::{Block, EXTRA_CONTENT, Opaque, REASONING_CONTENT, unsigned};

use super::answer::Claim;

/// One request to a model.
#[derive(Debug, Clone, Copy)]
pub struct ModelRequest<'a> {
    /// Which model, where.
    pub model: &'a Model,
    /// The system prompt.
    pub system: &'a str,
    /// The conversation, oldest first.
    pub messages: &'a [Message],
    /// What the model may call. Nothing else is ever named to it.
    pub tools: &'a [ToolSpec],
    /// Whether it must call.
    pub tool_choice: ToolChoice,
    /// Whether a budget counts what it uses.
    pub metered: bool,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Said by a person.
    User {
        /// What was said.
        text: String,
        /// What was shown.
        images: Vec<Image>,
    },
    /// Said by a model.
    Assistant {
        /// May be empty when there are calls.
        text: String,
        /// What it called.
        calls: Vec<ToolCall>,
        /// Which model said it; unknown for what the gateway says in a model's place.
        origin: Option<Origin>,
        /// What its provider wants back.
        state: Opaque,
    },
    /// The answer to one call.
    ToolResult {
        /// The call's id.
        id: String,
        /// What came of it.
        content: String,
        /// What it showed.
        images: Vec<Image>,
        /// Whether it worked.
        ok: bool,
    },
}

/// Which model of which provider said something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Origin {
    /// The name of the `ModelProvider`.
    pub provider: String,
    /// The provider's id of the model.
    pub model: String,
    /// The provider's address, so that nothing goes elsewhere after it has moved.
    pub endpoint: String,
}

impl Origin {
    /// Of what this model answers.
    pub fn of(model: &Model) -> Self {
        Self {
            provider: model.provider.clone(),
            model: model.id.clone(),
            endpoint: model.base_url.clone(),
        }
    }
}

/// A tool call as the model made it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ToolCall {
    /// The provider's id; empty when the model gave none.
    pub id: String,
    /// The tool's name as the model wrote it.
    pub name: String,
    /// The arguments as the model wrote them: text, not yet parsed by anyone.
    pub arguments: String,
}

impl ToolCall {
    /// An id in the one form that every dialect takes: nine letters and digits, always the same for a seed.
    pub fn neutral_id(seed: &str) -> String {
        const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let digest = Sha256::digest(seed.as_bytes());
        let letter = |byte: &u8| {
            LETTERS
                .iter()
                .cycle()
                .nth(usize::from(*byte))
                .copied()
                .unwrap_or(b'0')
        };
        digest
            .iter()
            .take(9)
            .map(|byte| char::from(letter(byte)))
            .collect()
    }

    /// The name for an echo to the model: a name that no API takes, made up by the model, would spoil the conversation for good.
    pub(super) fn echo_name(&self) -> String {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let name: String = self
            .name
            .chars()
            .take(64)
            .map(|c| if fits(c) { c } else { '_' })
            .collect();
        if name.is_empty() {
            "unnamed".to_owned()
        } else {
            name
        }
    }

    /// The arguments as a JSON object for an echo to the model; an empty one when the text is none. Never executed.
    pub(super) fn echo(&self) -> Value {
        match serde_json::from_str(&self.arguments) {
            Ok(Value::Object(object)) => Value::Object(object),
            Ok(_) | Err(_) => Value::Object(serde_json::Map::new()),
        }
    }
}

/// A tool as the model is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Prefix included.
    pub name: String,
    /// What it does.
    pub description: String,
    /// The parameters' JSON Schema.
    pub parameters: Value,
}

impl ToolSpec {
    /// What the model is told that it does, with further words.
    pub(super) fn told(&self, further: Option<String>) -> String {
        match further {
            None => self.description.clone(),
            Some(further) => format!("{}\n{further}", self.description).trim_start().to_owned(),
        }
    }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// All text.
    pub text: String,
    /// In the model's order, each with an id of its own.
    pub calls: Vec<ToolCall>,
    /// Calls of an answer that was cut: never to be made, whole as they may look.
    pub unmade: Vec<ToolCall>,
    /// Why it ended.
    pub stop: Stop,
    /// What the provider says that it used.
    pub usage: Claim,
    /// What the provider wants back with it.
    pub state: Opaque,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It was done, or wants its calls answered.
    Complete,
    /// It ran into the output limit.
    Length,
    /// It ended in the middle of a call, though the provider calls it finished.
    HalfCall,
    /// The provider withheld the rest.
    Filtered,
}

/// Tokens of one or more requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// All input, cached included.
    pub input: u64,
    /// The part of the input that was read from a cache.
    pub cached: u64,
    /// The part of the input that was written to a cache, where that has a price of its own.
    pub cache_written: u64,
    /// All output, reasoning included.
    pub output: u64,
}

impl Usage {
    /// Input and output together.
    pub fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cached: self.cached.saturating_add(other.cached),
            cache_written: self.cache_written.saturating_add(other.cache_written),
            output: self.output.saturating_add(other.output),
        }
    }

    /// What this costs in millionths of a US dollar, rounded up; prices are per million tokens.
    pub fn cost(self, prices: Prices) -> u64 {
        let cached = self.cached.min(self.input);
        let written = self.cache_written.min(self.input.saturating_sub(cached));
        let uncached = self.input.saturating_sub(cached).saturating_sub(written);
        let times = |tokens: u64, price: u64| u128::from(tokens).saturating_mul(u128::from(price));
        let sum = times(uncached, prices.input)
            .saturating_add(times(cached, prices.cached_input))
            .saturating_add(times(written, prices.cache_write))
            .saturating_add(times(self.output, prices.output));
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const PRICES: Prices = Prices {
        input: 3_000_000,
        cached_input: 300_000,
        output: 15_000_000,
        cache_write: 3_750_000,
    };

    #[rstest]
    #[case::nothing(Usage::default(), 0)]
    #[case::one_input_token(Usage { input: 1, ..Usage::default() }, 3)]
    #[case::cached_is_cheaper(Usage { input: 1000, cached: 1000, ..Usage::default() }, 300)]
    #[case::writing_a_cache_is_dearer(Usage { input: 1000, cache_written: 1000, ..Usage::default() }, 3750)]
    #[case::all(Usage { input: 1000, cached: 400, cache_written: 200, output: 100 }, 1200 + 120 + 750 + 1500)]
    #[case::more_cached_than_input(Usage { input: 10, cached: 99, cache_written: 99, output: 0 }, 3)]
    #[case::more_written_than_left(Usage { input: 10, cached: 8, cache_written: 99, output: 0 }, 10)]
    #[case::absurd(Usage { input: u64::MAX, output: u64::MAX, ..Usage::default() }, u64::MAX)]
    fn a_cost_is_exact_and_never_overflows(#[case] usage: Usage, #[case] cost: u64) {
        assert_eq!(usage.cost(PRICES), cost);
    }

    #[test]
    fn a_fraction_rounds_up() {
        assert_eq!(
            Usage {
                input: 1,
                ..Usage::default()
            }
            .cost(Prices {
                input: 1,
                ..Prices::default()
            }),
            1
        );
    }
}
