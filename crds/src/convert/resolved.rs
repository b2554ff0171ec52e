//! Model, prompts and bounds of a bot: its own over the workspace's over the defaults.

use std::time::Duration;

use serde::Serialize;

use super::egress::ResolvedEgress;
use super::version;
use crate::kinds::bot::{BotModel, Limits, Prompts, ReasoningEffort, ToolChoice};
use crate::kinds::model_provider::{Dialect, Header, Model, Prices, PromptCache, RequestShape};
use crate::kinds::{Bot, Span};
use crate::validate::bot::chosen_model;
use crate::validate::{model_provider, reference};
use crate::world::World;

/// What a bot without a system prompt is told.
pub const DEFAULT_SYSTEM_PROMPT: &str = "You are a helpful assistant. Use the tools that you are given where they \
    help. When a tool call fails or is refused, say so plainly and do not pretend that it succeeded.";
/// How long one request to a model may take.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_mins(5);
/// The most tokens of one answer, where neither bot nor model says.
pub const DEFAULT_MAX_OUTPUT_TOKENS: u32 = 4_096;
/// The bounds of a turn, where neither bot nor workspace says.
pub const DEFAULT_LIMITS: ResolvedLimits = ResolvedLimits {
    max_steps: 20,
    max_turn_seconds: 600,
    max_turn_tokens: 500_000,
    max_result_bytes: 65_536,
    max_parallel_calls: 4,
    max_queued_messages: 16,
    call_timeout_seconds: 60,
};

/// What a gateway needs beyond permissions. Contains no secret.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolved {
    /// What people call the bot.
    pub display_name: String,
    /// What it is told before every conversation.
    pub system_prompt: String,
    /// The model it thinks with.
    pub model: ResolvedModel,
    /// The bounds of its turns.
    pub limits: ResolvedLimits,
}

/// The model a bot thinks with.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedModel {
    /// The name of the `ModelProvider`.
    pub provider: String,
    /// How its API is spoken to.
    pub dialect: Dialect,
    /// Its address, without a trailing slash.
    pub base_url: String,
    /// How it is reached.
    pub egress: ResolvedEgress,
    /// The provider's id of the model.
    pub id: String,
    /// Further request headers.
    pub headers: Vec<Header>,
    /// How many tokens fit; 0 when unknown.
    pub context_tokens: u32,
    /// The most to ask for in one answer.
    pub max_output_tokens: u32,
    /// In millionths of a US dollar per million tokens.
    pub prices: ResolvedPrices,
    /// The `Credential` with the key and its version, where one is needed.
    pub credential: Option<ResolvedCredential>,
    /// The header of the key, where it is not the dialect's own.
    pub auth_header: Option<String>,
    /// For one request, first byte to last.
    pub request_timeout_seconds: u32,
    /// Sent only when set.
    pub temperature: Option<f64>,
    /// How it is to answer.
    pub generation: ResolvedGeneration,
    /// What its requests look like.
    pub request: RequestShape,
    /// Whether it takes images.
    pub images: bool,
}

/// How a model is to answer; what is not set is not sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "documented at `kinds::bot::BotModel`")]
pub struct ResolvedGeneration {
    pub top_p: Option<f64>,
    pub stop: Vec<String>,
    pub seed: Option<i64>,
    pub reasoning_effort: Option<ReasoningEffort>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_tool_calls: Option<bool>,
}

/// A credential with its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedCredential {
    /// The name of the `Credential`.
    pub name: String,
    /// Changes whenever a secret of it does.
    pub version: String,
}

/// Prices in millionths of a US dollar per million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub struct ResolvedPrices {
    pub input: u64,
    pub cached_input: u64,
    pub output: u64,
    pub cache_write: u64,
}

/// The bounds of a turn; none is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "documented at `kinds::Limits`")]
pub struct ResolvedLimits {
    pub max_steps: u32,
    pub max_turn_seconds: u32,
    pub max_turn_tokens: u64,
    pub max_result_bytes: u32,
    pub max_parallel_calls: u32,
    pub max_queued_messages: u32,
    pub call_timeout_seconds: u32,
}

impl ResolvedLimits {
    /// As a bot's status shows them.
    pub fn shown(&self) -> Limits {
        let int = |value: u32| Some(i32::try_from(value).unwrap_or(i32::MAX));
        let span = |seconds: u32| Some(Span(format!("{seconds}s")));
        Limits {
            max_steps: int(self.max_steps),
            max_turn_duration: span(self.max_turn_seconds),
            max_turn_tokens: Some(i64::try_from(self.max_turn_tokens).unwrap_or(i64::MAX)),
            max_result_bytes: int(self.max_result_bytes),
            max_parallel_calls: int(self.max_parallel_calls),
            max_queued_messages: int(self.max_queued_messages),
            call_timeout: span(self.call_timeout_seconds),
        }
    }
}

/// Resolves a bot; nothing if it has no usable model.
pub(super) fn of(bot: &Bot, world: &World) -> Option<Resolved> {
    let workspace = world.workspace.as_ref().map(|workspace| &workspace.spec);
    let own = bot.spec.prompts.as_ref().and_then(system);
    let default = workspace
        .and_then(|workspace| workspace.prompts.as_ref())
        .and_then(system);
    let name = bot.metadata.name.clone().unwrap_or_default();
    Some(Resolved {
        display_name: bot.spec.display_name.clone().unwrap_or(name),
        system_prompt: own.or(default).unwrap_or(DEFAULT_SYSTEM_PROMPT).to_owned(),
        model: model(bot, world)?,
        limits: limits(
            bot.spec.limits.as_ref(),
            workspace.and_then(|workspace| workspace.limits.as_ref()),
        )?,
    })
}

fn system(prompts: &Prompts) -> Option<&str> {
    prompts.system.as_deref().filter(|text| !text.trim().is_empty())
}

fn model(bot: &Bot, world: &World) -> Option<ResolvedModel> {
    let (provider_name, id) = chosen_model(bot, world)?;
    let provider = reference::provider("spec.model.provider", provider_name, world).ok()?;
    let found = provider.spec.models.iter().find(|model| model.name == id)?;
    let own = bot.spec.model.as_ref();
    let temperature = match own.and_then(|model| model.temperature.as_ref()) {
        None => None,
        Some(text) => Some(text.parse().ok()?),
    };
    let general = provider.spec.request.clone().unwrap_or_default();
    let request = match &found.request {
        None => general,
        Some(request) => request.over(&general),
    };
    let egress = ResolvedEgress::new(
        model_provider::destination(&provider.spec),
        provider.spec.ca_certificate.as_ref(),
        provider.spec.proxy.as_ref(),
        world,
    );
    Some(ResolvedModel {
        provider: provider_name.to_owned(),
        egress,
        dialect: provider.spec.dialect,
        base_url: provider.spec.base_url.trim_end_matches('/').to_owned(),
        id: id.to_owned(),
        headers: provider.spec.headers.clone(),
        context_tokens: positive(found.context_tokens).unwrap_or_default(),
        max_output_tokens: output_tokens(own.and_then(|model| model.max_output_tokens), found),
        prices: prices(found.prices.as_ref(), provider.spec.dialect, request.prompt_cache)?,
        credential: match &provider.spec.credential {
            None => None,
            Some(name) => Some(credential(name, world)?),
        },
        auth_header: provider.spec.auth_header.clone(),
        request_timeout_seconds: seconds(provider.spec.request_timeout.as_ref(), DEFAULT_REQUEST_TIMEOUT)?,
        temperature,
        generation: generation(own)?,
        request,
        images: found.images.unwrap_or_default(),
    })
}

fn generation(own: Option<&BotModel>) -> Option<ResolvedGeneration> {
    let Some(own) = own else {
        return Some(ResolvedGeneration::default());
    };
    Some(ResolvedGeneration {
        top_p: match &own.top_p {
            None => None,
            Some(text) => Some(text.parse().ok()?),
        },
        stop: own.stop.clone(),
        seed: own.seed,
        reasoning_effort: own.reasoning_effort,
        tool_choice: own.tool_choice,
        parallel_tool_calls: own.parallel_tool_calls,
    })
}

/// What the bot asks for, at most what the model can.
fn output_tokens(own: Option<i32>, model: &Model) -> u32 {
    let most = positive(model.max_output_tokens);
    match (positive(own), most) {
        (Some(own), Some(most)) => own.min(most),
        (own, most) => own.or(most).unwrap_or(DEFAULT_MAX_OUTPUT_TOKENS),
    }
}

fn credential(name: &str, world: &World) -> Option<ResolvedCredential> {
    let version = version::of_credential(world.credentials.get(name)?, world)?;
    Some(ResolvedCredential {
        name: name.to_owned(),
        version,
    })
}

fn prices(prices: Option<&Prices>, dialect: Dialect, cache: Option<PromptCache>) -> Option<ResolvedPrices> {
    let Some(prices) = prices else {
        return Some(ResolvedPrices::default());
    };
    let input = millionths(&prices.input)?;
    let cached_input = match &prices.cached_input {
        None => input,
        Some(text) => millionths(text)?,
    };
    let cache_write = match &prices.cache_write {
        None => usual_cache_write(input, dialect, cache)?,
        Some(text) => millionths(text)?,
    };
    Some(ResolvedPrices {
        input,
        cached_input,
        output: millionths(&prices.output)?,
        cache_write,
    })
}

/// What Anthropic asks for writing to its cache, by how long it is kept; elsewhere that has no price of its own.
fn usual_cache_write(input: u64, dialect: Dialect, cache: Option<PromptCache>) -> Option<u64> {
    match (dialect, cache) {
        (Dialect::Anthropic, Some(PromptCache::OneHour)) => input.checked_mul(2),
        (Dialect::Anthropic, Some(PromptCache::FiveMinutes) | None) => input.checked_add(input.div_ceil(4)),
        (Dialect::OpenAI, _) | (Dialect::Anthropic, Some(PromptCache::Off)) => Some(input),
    }
}

/// A decimal such as `2.50`, times a million.
fn millionths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<6}").parse().ok()?;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(1_000_000)?
        .checked_add(fraction)
}

/// Nothing if a bound is written in a way that has no meaning.
fn limits(own: Option<&Limits>, workspace: Option<&Limits>) -> Option<ResolvedLimits> {
    let defaults = DEFAULT_LIMITS;
    let number = |of: fn(&Limits) -> Option<i32>, default: u32| {
        own.and_then(of)
            .or_else(|| workspace.and_then(of))
            .map_or(Some(default), |value| positive(Some(value)))
    };
    let span = |of: fn(&Limits) -> Option<&Span>, default: u32| {
        let chosen = own.and_then(of).or_else(|| workspace.and_then(of));
        seconds(chosen, Duration::from_secs(u64::from(default)))
    };
    let tokens = own.and_then(|limits| limits.max_turn_tokens);
    let tokens = tokens.or_else(|| workspace.and_then(|limits| limits.max_turn_tokens));
    Some(ResolvedLimits {
        max_steps: number(|limits| limits.max_steps, defaults.max_steps)?,
        max_turn_seconds: span(
            |limits| limits.max_turn_duration.as_ref(),
            defaults.max_turn_seconds,
        )?,
        max_turn_tokens: match tokens {
            None => defaults.max_turn_tokens,
            Some(tokens) => u64::try_from(tokens).ok().filter(|tokens| *tokens > 0)?,
        },
        max_result_bytes: number(|limits| limits.max_result_bytes, defaults.max_result_bytes)?,
        max_parallel_calls: number(|limits| limits.max_parallel_calls, defaults.max_parallel_calls)?,
        max_queued_messages: number(|limits| limits.max_queued_messages, defaults.max_queued_messages)?,
        call_timeout_seconds: span(
            |limits| limits.call_timeout.as_ref(),
            defaults.call_timeout_seconds,
        )?,
    })
}

fn positive(value: Option<i32>) -> Option<u32> {
    value
        .and_then(|value| u32::try_from(value).ok())
        .filter(|value| *value > 0)
}

fn seconds(span: Option<&Span>, default: Duration) -> Option<u32> {
    let length = span.map_or(Some(default), Span::duration)?;
    u32::try_from(length.as_secs())
        .ok()
        .filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0", Some(0))]
    #[case("2.5", Some(2_500_000))]
    #[case("2.50", Some(2_500_000))]
    #[case("0.000001", Some(1))]
    #[case("15", Some(15_000_000))]
    #[case("1.", None)]
    #[case(".5", None)]
    #[case("-1", None)]
    #[case("1e3", None)]
    #[case("0.0000001", None)]
    fn prices_are_exact(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(millionths(text), expected);
    }

    #[rstest]
    #[case::default(None, None, 4_096)]
    #[case::model(None, Some(8_000), 8_000)]
    #[case::own(Some(100), None, 100)]
    #[case::own_within(Some(100), Some(8_000), 100)]
    #[case::own_beyond(Some(9_000), Some(8_000), 8_000)]
    fn an_answer_is_bounded_by_bot_and_model(
        #[case] own: Option<i32>,
        #[case] most: Option<i32>,
        #[case] expected: u32,
    ) {
        let model = Model {
            max_output_tokens: most,
            ..Model::default()
        };
        assert_eq!(output_tokens(own, &model), expected);
    }

    #[rstest]
    #[case::openai(None, Dialect::OpenAI, None, 4_000_000)]
    #[case::five_minutes(None, Dialect::Anthropic, None, 5_000_000)]
    #[case::an_hour(None, Dialect::Anthropic, Some(PromptCache::OneHour), 8_000_000)]
    #[case::off(None, Dialect::Anthropic, Some(PromptCache::Off), 4_000_000)]
    #[case::written(Some("4.5"), Dialect::Anthropic, Some(PromptCache::OneHour), 4_500_000)]
    fn writing_to_a_cache_has_its_price(
        #[case] written: Option<&str>,
        #[case] dialect: Dialect,
        #[case] cache: Option<PromptCache>,
        #[case] expected: u64,
    ) {
        let given = Prices {
            input: "4".to_owned(),
            output: "20".to_owned(),
            cache_write: written.map(str::to_owned),
            ..Prices::default()
        };
        assert_eq!(
            prices(Some(&given), dialect, cache).unwrap().cache_write,
            expected
        );
    }

    #[test]
    fn bounds_come_from_the_bot_then_the_workspace_then_the_defaults() {
        let own = Limits {
            max_steps: Some(3),
            ..Limits::default()
        };
        let workspace = Limits {
            max_steps: Some(5),
            call_timeout: Some("2m".into()),
            ..Limits::default()
        };
        let found = limits(Some(&own), Some(&workspace)).unwrap();
        assert_eq!(
            (
                found.max_steps,
                found.call_timeout_seconds,
                found.max_parallel_calls
            ),
            (3, 120, 4)
        );
    }

    #[test]
    fn a_bound_without_meaning_resolves_to_nothing() {
        let own = Limits {
            max_turn_duration: Some("soon".into()),
            ..Limits::default()
        };
        assert_eq!(limits(Some(&own), None), None);
    }
}
