//! What requests look like, where endpoints of one dialect differ.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema;

/// What requests look like. What is absent is the dialect's own form.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestShape {
    /// The name of the limit on an answer's tokens, for example `max_completion_tokens`, or `None` where the API takes none.
    /// Absent means `max_tokens`, and `max_completion_tokens` at OpenAI's and Azure's own addresses. Without a limit, a budget
    /// reserves all of the model's `contextTokens` for an answer. The dialect `Anthropic` knows only `max_tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = schema::BODY_FIELD))]
    pub output_limit_field: Option<String>,
    /// Whether answers come as a stream. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streaming: Option<bool>,
    /// Whether a stream is asked to say what it used (`stream_options`), in the dialect `OpenAI`. Default: true. Where nothing
    /// is said, usage is estimated, and a budget keeps all that it reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_usage: Option<bool>,
    /// Whether tools are marked as strict, so that the model keeps to their parameters. Only those whose schema leaves nothing
    /// open are: closed, and every parameter required. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_tools: Option<bool>,
    /// How a bot's `reasoningEffort` is said in the dialect `Anthropic`: `Budget` as a number of tokens, `Adaptive` as a word,
    /// which is what newer models take. Default: `Budget`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Thinking>,
    /// What becomes of the state that a provider sends with its answers: reasoning, signatures. It only ever goes back to the
    /// model that it came from: never with `Omit`; with `ReasoningContent` an empty `reasoning_content` stands in where one is
    /// missing beside a call (DeepSeek, Moonshot), with `ThoughtSignature` Google's documented word for a missing signature.
    /// Absent means that it goes back as it came, and that those three are known by their addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_state: Option<ReasoningState>,
    /// How long the provider keeps the beginning of a conversation, in the dialect `Anthropic`. Default: `FiveMinutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_cache: Option<PromptCache>,
    /// Whether a short answer of the assistant's stands between the results of calls and a message of the user's, in the dialect
    /// `OpenAI`. Mistral's models refuse one directly after the other, wherever they are served: a message that comes after a turn
    /// ended with results, and the images that a result showed. Default: false, and true at Mistral's own addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge_tool_results: Option<bool>,
    /// Further fields of each request's body, by name, for example `service_tier: flex` or `top_k: 40`. A field of a model
    /// replaces the provider's of the same name. Only known fields are taken, and none that carries messages, tools or a model;
    /// what has a setting of its own is not taken here either. Never secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::body_fields")]
    pub extra_body: BTreeMap<String, Value>,
}

/// How effort is said in the dialect `Anthropic`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::undescribed)]
pub enum Thinking {
    /// As a number of tokens.
    Budget,
    /// As a word; the model decides how much it thinks. What newer models take.
    Adaptive,
}

/// What becomes of the state that a provider sends with its answers.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::undescribed)]
pub enum ReasoningState {
    /// It never goes back.
    Omit,
    /// It goes back, and where it is missing beside a call, an empty `reasoning_content` stands in for it. For DeepSeek and Moonshot.
    ReasoningContent,
    /// It goes back, and where a call has no `thought_signature`, Google's documented word for that stands in for it.
    ThoughtSignature,
}

/// How long the provider keeps the beginning of a conversation.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::undescribed)]
pub enum PromptCache {
    /// Nothing is marked.
    Off,
    /// For five minutes after its last use.
    FiveMinutes,
    /// For an hour after its last use.
    OneHour,
}

impl RequestShape {
    /// The model's shape, and where it says nothing, the provider's.
    #[must_use]
    pub fn over(&self, provider: &Self) -> Self {
        let mut extra_body = provider.extra_body.clone();
        extra_body.extend(self.extra_body.clone());
        Self {
            output_limit_field: self
                .output_limit_field
                .clone()
                .or_else(|| provider.output_limit_field.clone()),
            streaming: self.streaming.or(provider.streaming),
            stream_usage: self.stream_usage.or(provider.stream_usage),
            strict_tools: self.strict_tools.or(provider.strict_tools),
            thinking: self.thinking.or(provider.thinking),
            reasoning_state: self.reasoning_state.or(provider.reasoning_state),
            prompt_cache: self.prompt_cache.or(provider.prompt_cache),
            bridge_tool_results: self.bridge_tool_results.or(provider.bridge_tool_results),
            extra_body,
        }
    }
}
