//! What a gateway needs beyond permissions, in the words of the wire.

mod request;

use ipnet::IpNet;
use monstrum_crds::convert::{BotConversion, Resolved, ResolvedLimits, ResolvedModel};
use monstrum_crds::kinds::model_provider::Dialect;
use monstrum_wire::policy::{self, Header, Limits, Model, Prices, Prompts, Proxy, Settings};

/// The settings of a bot; without a model where none is usable, which a gateway refuses to work with.
pub(super) fn settings(name: &str, conversion: &BotConversion) -> Settings {
    let resolved = conversion.resolved.as_ref();
    Settings {
        model: resolved.map(|resolved| model(&resolved.model)),
        prompts: resolved.map(prompts),
        limits: resolved.map(|resolved| limits(&resolved.limits)),
        display_name: resolved.map_or_else(|| name.to_owned(), |resolved| resolved.display_name.clone()),
    }
}

fn prompts(resolved: &Resolved) -> Prompts {
    Prompts {
        system: resolved.system_prompt.clone(),
    }
}

fn model(model: &ResolvedModel) -> Model {
    let dialect = match model.dialect {
        Dialect::OpenAI => policy::Dialect::Openai,
        Dialect::Anthropic => policy::Dialect::Anthropic,
    };
    Model {
        provider: model.provider.clone(),
        dialect: dialect.into(),
        base_url: model.base_url.clone(),
        id: model.id.clone(),
        headers: model
            .headers
            .iter()
            .map(|header| Header {
                name: header.name.clone(),
                value: header.value.clone(),
            })
            .collect(),
        context_tokens: model.context_tokens,
        max_output_tokens: model.max_output_tokens,
        prices: Some(Prices {
            input: model.prices.input,
            cached_input: model.prices.cached_input,
            output: model.prices.output,
            cache_write: model.prices.cache_write,
        }),
        credential_version: model
            .credential
            .as_ref()
            .map(|key| key.version.clone())
            .unwrap_or_default(),
        request_timeout_seconds: model.request_timeout_seconds,
        temperature: model.temperature,
        generation: Some(request::generation(&model.generation)),
        request: Some(request::shape(&model.request)),
        images: model.images,
        auth_header: model.auth_header.clone().unwrap_or_default(),
        allowed_addresses: texts(&model.egress.allowed_addresses),
        ca_certificate: model.egress.ca_certificate.clone().unwrap_or_default(),
        proxy: model.egress.proxy.as_ref().map(|proxy| Proxy {
            url: proxy.url.clone(),
            allowed_addresses: texts(&proxy.allowed_addresses),
        }),
    }
}

fn texts(ranges: &[IpNet]) -> Vec<String> {
    ranges.iter().map(ToString::to_string).collect()
}

fn limits(limits: &ResolvedLimits) -> Limits {
    Limits {
        max_steps: limits.max_steps,
        max_turn_seconds: limits.max_turn_seconds,
        max_turn_tokens: limits.max_turn_tokens,
        max_result_bytes: limits.max_result_bytes,
        max_parallel_calls: limits.max_parallel_calls,
        max_queued_messages: limits.max_queued_messages,
        call_timeout_seconds: limits.call_timeout_seconds,
    }
}
