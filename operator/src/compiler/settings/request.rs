//! How a model is to answer and what its requests look like.

use monstrum_crds::convert::ResolvedGeneration;
use monstrum_crds::kinds::bot;
use monstrum_crds::kinds::model_provider as kind;
use monstrum_wire::policy::{
    Generation, PromptCache, ReasoningEffort, ReasoningState, RequestShape, Thinking, ToolChoice,
};

pub(super) fn generation(generation: &ResolvedGeneration) -> Generation {
    let effort = generation.reasoning_effort.map(|effort| match effort {
        bot::ReasoningEffort::None => ReasoningEffort::None,
        bot::ReasoningEffort::Minimal => ReasoningEffort::Minimal,
        bot::ReasoningEffort::Low => ReasoningEffort::Low,
        bot::ReasoningEffort::Medium => ReasoningEffort::Medium,
        bot::ReasoningEffort::High => ReasoningEffort::High,
        bot::ReasoningEffort::ExtraHigh => ReasoningEffort::ExtraHigh,
        bot::ReasoningEffort::Max => ReasoningEffort::Max,
    });
    let choice = generation.tool_choice.map(|choice| match choice {
        bot::ToolChoice::Auto => ToolChoice::Auto,
        bot::ToolChoice::Required => ToolChoice::Required,
        bot::ToolChoice::None => ToolChoice::None,
    });
    Generation {
        top_p: generation.top_p,
        stop: generation.stop.clone(),
        seed: generation.seed,
        reasoning_effort: effort.unwrap_or_default().into(),
        tool_choice: choice.unwrap_or_default().into(),
        parallel_tool_calls: generation.parallel_tool_calls,
    }
}

pub(super) fn shape(shape: &kind::RequestShape) -> RequestShape {
    let limit = shape.output_limit_field.as_deref();
    let extra = Some(&shape.extra_body).filter(|fields| !fields.is_empty());
    RequestShape {
        output_limit_field: limit
            .filter(|name| *name != "None")
            .unwrap_or_default()
            .to_owned(),
        omit_output_limit: limit == Some("None"),
        whole_answers: shape.streaming == Some(false),
        omit_stream_usage: shape.stream_usage == Some(false),
        strict_tools: shape.strict_tools.unwrap_or_default(),
        thinking: shape.thinking.map(thinking).unwrap_or_default().into(),
        reasoning_state: shape.reasoning_state.map(state).unwrap_or_default().into(),
        prompt_cache: shape.prompt_cache.map(cache).unwrap_or_default().into(),
        bridge_tool_results: shape.bridge_tool_results,
        extra_body_json: extra
            .map(|fields| serde_json::json!(fields).to_string())
            .unwrap_or_default(),
    }
}

fn thinking(thinking: kind::Thinking) -> Thinking {
    match thinking {
        kind::Thinking::Budget => Thinking::Budget,
        kind::Thinking::Adaptive => Thinking::Adaptive,
    }
}

fn state(state: kind::ReasoningState) -> ReasoningState {
    match state {
        kind::ReasoningState::Omit => ReasoningState::Omit,
        kind::ReasoningState::ReasoningContent => ReasoningState::ReasoningContent,
        kind::ReasoningState::ThoughtSignature => ReasoningState::ThoughtSignature,
    }
}

fn cache(cache: kind::PromptCache) -> PromptCache {
    match cache {
        kind::PromptCache::Off => PromptCache::Off,
        kind::PromptCache::FiveMinutes => PromptCache::FiveMinutes,
        kind::PromptCache::OneHour => PromptCache::OneHour,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(value: Value) -> RequestShape {
        shape(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn what_is_not_written_is_the_dialects_own() {
        assert_eq!(written(json!({})), RequestShape::default());
        assert_eq!(generation(&ResolvedGeneration::default()), Generation::default());
        assert_eq!(
            written(json!({"streaming": true, "streamUsage": true})),
            RequestShape::default()
        );
    }

    #[test]
    fn every_setting_reaches_the_gateway() {
        let all = written(json!({
            "outputLimitField": "max_completion_tokens", "streaming": false, "streamUsage": false, "strictTools": true,
            "thinking": "Adaptive", "reasoningState": "ReasoningContent", "promptCache": "OneHour",
            "bridgeToolResults": false,
            "extraBody": {"top_k": 4, "store": false}
        }));
        let expected = RequestShape {
            output_limit_field: "max_completion_tokens".to_owned(),
            omit_output_limit: false,
            whole_answers: true,
            omit_stream_usage: true,
            strict_tools: true,
            thinking: Thinking::Adaptive.into(),
            reasoning_state: ReasoningState::ReasoningContent.into(),
            prompt_cache: PromptCache::OneHour.into(),
            bridge_tool_results: Some(false),
            extra_body_json: r#"{"store":false,"top_k":4}"#.to_owned(),
        };
        assert_eq!(all, expected);
        let none = written(json!({"outputLimitField": "None"}));
        assert!(none.omit_output_limit && none.output_limit_field.is_empty());
    }

    #[test]
    fn how_a_bot_wants_its_answers_reaches_the_gateway() {
        let wanted = ResolvedGeneration {
            top_p: Some(0.5),
            stop: vec!["END".to_owned()],
            seed: Some(7),
            reasoning_effort: Some(bot::ReasoningEffort::ExtraHigh),
            tool_choice: Some(bot::ToolChoice::Required),
            parallel_tool_calls: Some(false),
        };
        let told = generation(&wanted);
        assert_eq!(told.reasoning_effort(), ReasoningEffort::ExtraHigh);
        assert_eq!(told.tool_choice(), ToolChoice::Required);
        assert_eq!(
            (told.top_p, told.seed, told.parallel_tool_calls),
            (Some(0.5), Some(7), Some(false))
        );
        assert_eq!(told.stop, ["END"]);
    }
}
