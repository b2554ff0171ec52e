//! What is wrong with the shape of a provider's requests.
//!
//! Further fields of a body are taken from a list, so that none can say what this project says itself: who is asked, what was
//! said, which tools there are. A tool that a provider brings along would be called past the Guardian.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Fault;
use crate::kinds::model_provider::{Dialect, ReasoningState, RequestShape};

/// What all further fields together may have, as JSON.
const MAX_BYTES: usize = 4 << 10;
/// How deep a field's value may be.
const MAX_DEPTH: usize = 6;

/// Fields that may be added.
const FURTHER: [&str; 36] = [
    "cache_prompt",
    "chat_template_kwargs",
    "enable_thinking",
    "extra_body",
    "frequency_penalty",
    "include_reasoning",
    "inference_geo",
    "keep_alive",
    "logit_bias",
    "metadata",
    "min_p",
    "output_config",
    "presence_penalty",
    "priority",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_mode",
    "provider",
    "random_seed",
    "reasoning",
    "reasoning_format",
    "reasoning_split",
    "repetition_penalty",
    "safe_prompt",
    "safety_identifier",
    "safety_settings",
    "service_tier",
    "skip_special_tokens",
    "store",
    "thinking",
    "thinking_budget",
    "top_a",
    "top_k",
    "typical_p",
    "usage",
    "verbosity",
];

/// Fields that have a setting of their own, and which.
const OWN: [(&str, &str); 13] = [
    ("max_completion_tokens", "outputLimitField"),
    ("max_output_tokens", "outputLimitField"),
    ("max_tokens", "outputLimitField"),
    ("parallel_tool_calls", "spec.model.parallelToolCalls of the Bot"),
    ("reasoning_effort", "spec.model.reasoningEffort of the Bot"),
    ("seed", "spec.model.seed of the Bot"),
    ("stop", "spec.model.stop of the Bot"),
    ("stop_sequences", "spec.model.stop of the Bot"),
    ("stream", "streaming"),
    ("stream_options", "streamUsage"),
    ("temperature", "spec.model.temperature of the Bot"),
    ("tool_choice", "spec.model.toolChoice of the Bot"),
    ("top_p", "spec.model.topP of the Bot"),
];

/// Names that may stand at no depth: each would say what only the gateway says.
const NEVER: [&str; 17] = [
    "cached_content",
    "chat_template",
    "documents",
    "function_call",
    "functions",
    "input",
    "mcp_servers",
    "messages",
    "model",
    "models",
    "n",
    "plugins",
    "prompt",
    "stream",
    "system",
    "tools",
    "web_search_options",
];

/// Everything that is wrong with a shape.
pub(super) fn faults(field: &str, shape: Option<&RequestShape>, dialect: Dialect) -> Vec<Fault> {
    let Some(shape) = shape else { return Vec::new() };
    let mut faults = match dialect {
        Dialect::OpenAI => of_openai(field, shape),
        Dialect::Anthropic => of_anthropic(field, shape),
    };
    if let Some(name) = &shape.output_limit_field
        && is_taken(name)
    {
        let message = format!("{name:?} says something else: write the field of the limit, or None");
        faults.push(Fault::invalid(format!("{field}.outputLimitField"), message));
    }
    faults.extend(further(&format!("{field}.extraBody"), &shape.extra_body));
    faults
}

fn is_taken(name: &str) -> bool {
    let has_other_setting = |(own, setting): &(&str, &str)| *own == name && *setting != "outputLimitField";
    NEVER.contains(&name) || FURTHER.contains(&name) || OWN.iter().any(has_other_setting)
}

fn of_openai(field: &str, shape: &RequestShape) -> Vec<Fault> {
    let there = [
        ("thinking", shape.thinking.is_some()),
        ("promptCache", shape.prompt_cache.is_some()),
    ];
    unknown(field, &there, "OpenAI")
}

fn of_anthropic(field: &str, shape: &RequestShape) -> Vec<Fault> {
    let other_limit = shape
        .output_limit_field
        .as_deref()
        .is_some_and(|name| name != "max_tokens");
    let openais_state = matches!(
        shape.reasoning_state,
        Some(ReasoningState::ReasoningContent | ReasoningState::ThoughtSignature)
    );
    let there = [
        ("outputLimitField", other_limit),
        ("streamUsage", shape.stream_usage.is_some()),
        ("reasoningState", openais_state),
        ("bridgeToolResults", shape.bridge_tool_results.is_some()),
    ];
    unknown(field, &there, "Anthropic")
}

fn unknown(field: &str, settings: &[(&str, bool)], dialect: &str) -> Vec<Fault> {
    let there = settings.iter().filter(|(_, there)| *there);
    there
        .map(|(name, _)| {
            let message = format!("the dialect {dialect} does not know this: leave it out");
            Fault::invalid(format!("{field}.{name}"), message)
        })
        .collect()
}

fn further(field: &str, fields: &BTreeMap<String, Value>) -> Vec<Fault> {
    let mut faults: Vec<_> = fields
        .iter()
        .filter_map(|(name, value)| Some((name, fault(name, value)?)))
        .map(|(name, message)| Fault::invalid(format!("{field}.{name}"), message))
        .collect();
    let bytes = serde_json::to_string(fields).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_BYTES {
        let message = format!("all further fields together are larger than {MAX_BYTES} bytes");
        faults.push(Fault::invalid(field, message));
    }
    faults
}

fn fault(name: &str, value: &Value) -> Option<String> {
    if let Some((_, setting)) = OWN.iter().find(|(own, _)| *own == name) {
        return Some(format!("has a setting of its own: use {setting}"));
    }
    if !FURTHER.contains(&name) {
        return Some(format!("can't be added: use one of {}", FURTHER.join(", ")));
    }
    if let Some(inner) = forbidden(value, MAX_DEPTH) {
        return Some(inner);
    }
    let google = |value: &Value| {
        value
            .as_object()
            .is_some_and(|inner| inner.keys().all(|key| key == "google"))
    };
    (name == "extra_body" && !google(value)).then(|| "holds only an object \"google\"".to_owned())
}

/// Why a value can't be sent.
fn forbidden(value: &Value, depth: usize) -> Option<String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Some(format!("is deeper than {MAX_DEPTH} levels"));
    };
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if NEVER.contains(&name.as_str()) {
                return Some(format!("holds {name:?}, which only the gateway says: remove it"));
            }
            forbidden(value, depth)
        }),
        Value::Array(items) => items.iter().find_map(|item| forbidden(item, depth)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn shape(value: Value) -> RequestShape {
        serde_json::from_value(value).unwrap()
    }

    #[rstest]
    #[case::empty(json!({}), Dialect::Anthropic)]
    #[case::limit(json!({"outputLimitField": "max_completion_tokens"}), Dialect::OpenAI)]
    #[case::other_limit(json!({"outputLimitField": "num_predict"}), Dialect::OpenAI)]
    #[case::no_limit(json!({"outputLimitField": "None", "streamUsage": false}), Dialect::OpenAI)]
    #[case::own_limit(json!({"outputLimitField": "max_tokens"}), Dialect::Anthropic)]
    #[case::whole(json!({"streaming": false, "strictTools": true, "reasoningState": "Omit"}), Dialect::Anthropic)]
    #[case::cache(json!({"promptCache": "OneHour", "thinking": "Adaptive"}), Dialect::Anthropic)]
    #[case::scalars(json!({"extraBody": {"service_tier": "flex", "top_k": 40, "store": false}}), Dialect::OpenAI)]
    #[case::objects(
        json!({"extraBody": {
            "provider": {"order": ["a", "b"], "allow_fallbacks": false},
            "chat_template_kwargs": {"enable_thinking": false},
            "extra_body": {"google": {"thinking_config": {"include_thoughts": false}}}
        }}),
        Dialect::OpenAI
    )]
    #[case::thinking(json!({"extraBody": {"thinking": {"type": "enabled", "budget_tokens": 2048}}}), Dialect::Anthropic)]
    fn a_usable_shape_has_no_faults(#[case] value: Value, #[case] dialect: Dialect) {
        assert_eq!(faults("spec.request", Some(&shape(value)), dialect), []);
    }

    #[rstest]
    #[case::messages(json!({"messages": []}), "messages", "can't be added")]
    #[case::tools(json!({"tools": []}), "tools", "can't be added")]
    #[case::old_tools(json!({"functions": []}), "functions", "can't be added")]
    #[case::model(json!({"model": "other"}), "model", "can't be added")]
    #[case::fallbacks(json!({"models": ["other"]}), "models", "can't be added")]
    #[case::many(json!({"n": 2}), "n", "can't be added")]
    #[case::system(json!({"system": "obey"}), "system", "can't be added")]
    #[case::search(json!({"web_search_options": {}}), "web_search_options", "can't be added")]
    #[case::plugins(json!({"plugins": [{"id": "web"}]}), "plugins", "can't be added")]
    #[case::servers(json!({"mcp_servers": []}), "mcp_servers", "can't be added")]
    #[case::case(json!({"Messages": []}), "Messages", "can't be added")]
    #[case::stream(json!({"stream": false}), "stream", "use streaming")]
    #[case::limit(json!({"max_tokens": 1}), "max_tokens", "use outputLimitField")]
    #[case::effort(json!({"reasoning_effort": "low"}), "reasoning_effort", "spec.model.reasoningEffort")]
    #[case::nested_messages(json!({"provider": {"x": [{"messages": []}]}}), "provider", "only the gateway says")]
    #[case::nested_tools(json!({"chat_template_kwargs": {"tools": []}}), "chat_template_kwargs", "only the gateway says")]
    #[case::template(json!({"chat_template_kwargs": {"chat_template": "x"}}), "chat_template_kwargs", "only the gateway says")]
    #[case::cached(json!({"extra_body": {"google": {"cached_content": "c"}}}), "extra_body", "only the gateway says")]
    #[case::other_body(json!({"extra_body": {"top_k": 1}}), "extra_body", "google")]
    #[case::deep(json!({"metadata": {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}}), "metadata", "deeper")]
    fn a_field_that_says_what_the_gateway_says_is_refused(
        #[case] extra: Value,
        #[case] name: &str,
        #[case] words: &str,
    ) {
        for dialect in [Dialect::OpenAI, Dialect::Anthropic] {
            let found = faults(
                "spec.request",
                Some(&shape(json!({"extraBody": extra.clone()}))),
                dialect,
            );
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].field, format!("spec.request.extraBody.{name}"));
            assert!(found[0].message.contains(words), "{}", found[0].message);
        }
    }

    #[rstest]
    #[case(json!({"outputLimitField": "messages"}), Dialect::OpenAI, "outputLimitField")]
    #[case(json!({"outputLimitField": "stream"}), Dialect::OpenAI, "outputLimitField")]
    #[case(json!({"outputLimitField": "top_k"}), Dialect::OpenAI, "outputLimitField")]
    #[case(json!({"outputLimitField": "None"}), Dialect::Anthropic, "outputLimitField")]
    #[case(json!({"streamUsage": false}), Dialect::Anthropic, "streamUsage")]
    #[case(json!({"reasoningState": "ReasoningContent"}), Dialect::Anthropic, "reasoningState")]
    #[case(json!({"thinking": "Budget"}), Dialect::OpenAI, "thinking")]
    #[case(json!({"promptCache": "Off"}), Dialect::OpenAI, "promptCache")]
    #[case(json!({"extraBody": {"metadata": {"a": "x".repeat(MAX_BYTES)}}}), Dialect::OpenAI, "extraBody")]
    fn what_a_dialect_does_not_know_is_refused(
        #[case] value: Value,
        #[case] dialect: Dialect,
        #[case] name: &str,
    ) {
        let found = faults("spec.request", Some(&shape(value)), dialect);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].field, format!("spec.request.{name}"));
    }
}
