use monstrum_wire::policy::{Model, PromptCache, ReasoningState};
use rstest::rstest;

use super::*;
use crate::providers::conversation::{Image, Message, Opaque, Origin, ToolCall};

fn model() -> Model {
    Model {
        provider: "p".to_owned(),
        id: "m".to_owned(),
        base_url: "http://m/v1".to_owned(),
        max_output_tokens: 9,
        ..Model::default()
    }
}

fn call(id: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: "t".to_owned(),
        arguments: "{\"a\":".to_owned(),
    }
}

fn user(text: &str, images: Vec<Image>) -> Message {
    Message::User {
        text: text.to_owned(),
        images,
    }
}

fn said(origin: &Model, calls: &[&str], state: Opaque) -> Message {
    Message::Assistant {
        text: String::new(),
        calls: calls.iter().map(|id| call(id)).collect(),
        origin: Some(Origin::of(origin)),
        state,
    }
}

fn result(id: &str, images: Vec<Image>) -> Message {
    Message::ToolResult {
        id: id.to_owned(),
        content: "no".to_owned(),
        images,
        ok: false,
    }
}

fn image() -> Image {
    Image::of(b"\x89PNG\r\n\x1a\n").unwrap()
}

fn reasoned(text: &str) -> Opaque {
    let mut state = Opaque::default();
    state.message.insert("reasoning_content".to_owned(), json!(text));
    state
}

fn asked(model: &Model, messages: &[Message], tools: &[ToolSpec]) -> Value {
    body(&ModelRequest {
        model,
        system: "be kind",
        messages,
        tools,
        tool_choice: shape::generation(model).tool_choice(),
        metered: false,
    })
}

fn tool(parameters: Value) -> ToolSpec {
    ToolSpec {
        name: "t".to_owned(),
        description: "d".to_owned(),
        parameters,
    }
}

#[test]
fn a_conversation_becomes_chat_messages() {
    let model = model();
    let messages = [
        user("hello", Vec::new()),
        said(&model, &["1"], Opaque::default()),
        result("1", Vec::new()),
    ];
    let tools = [tool(json!({ "type": "object" }))];
    insta::assert_json_snapshot!(asked(&model, &messages, &tools));
}

#[rstest]
#[case("https://api.openai.com/v1", "max_completion_tokens")]
#[case("https://x.openai.azure.com/openai/v1", "max_completion_tokens")]
#[case("http://ollama.models.svc:11434/v1", "max_tokens")]
#[case("https://api.openai.com.evil.example/v1", "max_tokens")]
fn the_output_limit_has_the_endpoints_name(#[case] base_url: &str, #[case] name: &str) {
    assert_eq!(output_limit_name(&RequestShape::default(), base_url), name);
    let set = RequestShape {
        output_limit_field: "max_output_tokens".to_owned(),
        ..RequestShape::default()
    };
    assert_eq!(output_limit_name(&set, base_url), "max_output_tokens");
}

/// What one setting changes in a request, against the request without it.
#[rstest]
#[case::no_limit(RequestShape { omit_output_limit: true, ..RequestShape::default() }, json!({"max_tokens": null}))]
#[case::named_limit(
    RequestShape { output_limit_field: "max_completion_tokens".to_owned(), ..RequestShape::default() },
    json!({"max_tokens": null, "max_completion_tokens": 9})
)]
#[case::no_usage(RequestShape { omit_stream_usage: true, ..RequestShape::default() }, json!({"stream_options": null}))]
#[case::whole(RequestShape { whole_answers: true, ..RequestShape::default() }, json!({"stream_options": null, "stream": false}))]
#[case::extra(
    RequestShape { extra_body_json: r#"{"top_k":4,"model":"other","messages":[],"stream":false}"#.to_owned(), ..RequestShape::default() },
    json!({"top_k": 4})
)]
#[case::cache(RequestShape { prompt_cache: PromptCache::OneHour.into(), ..RequestShape::default() }, json!({}))]
fn a_shape_changes_what_it_says_and_nothing_else(#[case] shape: RequestShape, #[case] changed: Value) {
    let messages = [user("hello", Vec::new())];
    let mut expected = asked(&model(), &messages, &[]);
    for (name, value) in changed.as_object().unwrap() {
        let fields = expected.as_object_mut().unwrap();
        if value.is_null() {
            assert!(fields.remove(name).is_some(), "{name}");
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    let shaped = Model {
        request: Some(shape),
        ..model()
    };
    assert_eq!(asked(&shaped, &messages, &[]), expected);
}

#[test]
fn what_a_bot_wants_is_said_in_the_dialects_words() {
    let generation = Generation {
        top_p: Some(0.5),
        stop: vec!["END".to_owned()],
        seed: Some(7),
        reasoning_effort: ReasoningEffort::ExtraHigh.into(),
        tool_choice: ToolChoice::Required.into(),
        parallel_tool_calls: Some(false),
    };
    let model = Model {
        generation: Some(generation),
        temperature: Some(0.2),
        request: Some(RequestShape {
            strict_tools: true,
            ..RequestShape::default()
        }),
        ..model()
    };
    let strict = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let tools = [tool(strict), tool(json!({"type": "object"}))];
    insta::assert_json_snapshot!(asked(&model, &[user("hello", Vec::new())], &tools));
    // Without tools an endpoint refuses words about them.
    let alone = asked(&model, &[user("hello", Vec::new())], &[]);
    assert!(alone.get("tool_choice").is_none() && alone.get("parallel_tool_calls").is_none());
}

#[test]
fn images_are_shown_to_a_model_that_takes_them_and_told_to_one_that_does_not() {
    let sees = Model {
        images: true,
        ..model()
    };
    let messages = [
        user("look", vec![image()]),
        said(&sees, &["1", "2"], Opaque::default()),
        result("1", vec![image()]),
        result("2", Vec::new()),
        user("and?", Vec::new()),
    ];
    let shown = asked(&sees, &messages, &[]);
    let roles: Vec<_> = shown["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["role"].clone())
        .collect();
    // Results follow their answer without a gap; what they showed comes after.
    assert_eq!(
        json!(roles),
        json!(["system", "user", "assistant", "tool", "tool", "user", "user"])
    );
    assert_eq!(
        shown["messages"][1]["content"],
        json!([
            {"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
        ])
    );
    assert_eq!(shown["messages"][5]["content"][1]["type"], "image_url");
    let told = asked(&model(), &messages, &[]);
    assert_eq!(
        told["messages"][1]["content"],
        "look\n[an image: image/png, 8 bytes]"
    );
    assert_eq!(
        told["messages"][3]["content"],
        "no\n[an image: image/png, 8 bytes]"
    );
    assert!(!told.to_string().contains("base64"));
}

#[rstest]
#[case::mistral("https://api.mistral.ai/v1", None, true)]
#[case::mistrals_code("https://codestral.mistral.ai/v1", None, true)]
#[case::elsewhere("https://models.example.com/v1", None, false)]
#[case::lookalike("https://api.mistral.ai.evil.example/v1", None, false)]
#[case::set("https://models.example.com/v1", Some(true), true)]
#[case::set_off("https://api.mistral.ai/v1", Some(false), false)]
fn the_user_speaks_after_a_tool_only_where_that_is_taken(
    #[case] base_url: &str,
    #[case] set: Option<bool>,
    #[case] bridged: bool,
) {
    let model = Model {
        base_url: base_url.to_owned(),
        images: true,
        request: Some(RequestShape {
            bridge_tool_results: set,
            ..RequestShape::default()
        }),
        ..model()
    };
    let once = [
        user("look", Vec::new()),
        said(&model, &["1"], Opaque::default()),
        result("1", vec![image()]),
    ];
    let cut_off = [
        said(&model, &["2"], Opaque::default()),
        result("2", Vec::new()),
        user("go on", Vec::new()),
    ];
    let asked = asked(&model, &[once, cut_off].concat(), &[]);
    let roles = asked["messages"].as_array().unwrap().iter();
    let roles: Vec<&str> = roles.map(|message| message["role"].as_str().unwrap()).collect();
    let expected = if bridged {
        "system user assistant tool assistant user assistant tool assistant user"
    } else {
        "system user assistant tool user assistant tool user"
    };
    assert_eq!(roles.join(" "), expected);
}

#[test]
fn a_models_own_state_goes_back_to_it_as_it_came() {
    let model = model();
    let mut state = reasoned("because \u{1f600}\n\"x\"");
    let signature = json!({"google": {"thought_signature": "Q8Uf+/=="}});
    state.calls.insert(
        1,
        Map::from_iter([("extra_content".to_owned(), signature.clone())]),
    );
    // A provider's state never replaces what is ours.
    state.message.insert("role".to_owned(), json!("system"));
    state.message.insert("content".to_owned(), json!("obey"));
    state.calls.insert(
        0,
        Map::from_iter([("function".to_owned(), json!({"name": "other"}))]),
    );
    let messages = [user("a", Vec::new()), said(&model, &["1", "2"], state)];
    let answer = asked(&model, &messages, &[])["messages"][2].clone();
    assert_eq!(answer["reasoning_content"], "because \u{1f600}\n\"x\"");
    assert_eq!(answer["tool_calls"][1]["extra_content"], signature);
    assert_eq!(
        (&answer["role"], &answer["content"]),
        (&json!("assistant"), &Value::Null)
    );
    assert_eq!(answer["tool_calls"][0]["function"]["name"], "t");
}

#[rstest]
#[case::model(Model { id: "other".to_owned(), ..model() })]
#[case::provider(Model { provider: "other".to_owned(), ..model() })]
#[case::endpoint(Model { base_url: "http://elsewhere/v1".to_owned(), ..model() })]
fn state_goes_to_no_other_model(#[case] other: Model) {
    let messages = [user("a", Vec::new()), said(&model(), &["call_1"], reasoned("r"))];
    let answer = asked(&other, &messages, &[])["messages"][2].clone();
    assert!(answer.get("reasoning_content").is_none());
    assert_ne!(answer["tool_calls"][0]["id"], "call_1");
}

fn with(rule: ReasoningState) -> Model {
    Model {
        request: Some(RequestShape {
            reasoning_state: rule.into(),
            ..RequestShape::default()
        }),
        ..model()
    }
}

fn at(base_url: &str) -> Model {
    Model {
        base_url: base_url.to_owned(),
        ..model()
    }
}

/// Each insists on a field beside calls, also of calls that another model made.
#[rstest]
#[case::set(with(ReasoningState::ReasoningContent), "/reasoning_content", json!(""))]
#[case::deepseek(at("https://api.deepseek.com/v1"), "/reasoning_content", json!(""))]
#[case::moonshot(at("https://api.moonshot.ai/v1"), "/reasoning_content", json!(""))]
#[case::signature(
    with(ReasoningState::ThoughtSignature),
    "/tool_calls/0/extra_content/google/thought_signature",
    json!("skip_thought_signature_validator")
)]
#[case::google(
    at("https://generativelanguage.googleapis.com/v1beta/openai"),
    "/tool_calls/0/extra_content/google/thought_signature",
    json!("skip_thought_signature_validator")
)]
#[case::nobody(model(), "/reasoning_content", Value::Null)]
fn what_an_endpoint_insists_on_is_there(#[case] model: Model, #[case] place: &str, #[case] expected: Value) {
    let other = Model {
        id: "other".to_owned(),
        ..model.clone()
    };
    let messages = [
        user("a", Vec::new()),
        said(&other, &["1", "2"], Opaque::default()),
    ];
    let body = asked(&model, &messages, &[]);
    let answer = &body["messages"][2];
    assert_eq!(answer.pointer(place).unwrap_or(&Value::Null), &expected);
    assert!(answer["tool_calls"][1].get("extra_content").is_none());
}

#[test]
fn who_sent_reasoning_once_gets_some_with_every_call() {
    let model = model();
    let messages = [
        user("a", Vec::new()),
        said(&model, &["1"], reasoned("r")),
        result("1", Vec::new()),
        said(&model, &["2"], Opaque::default()),
        said(&model, &[], Opaque::default()),
    ];
    let body = asked(&model, &messages, &[]);
    assert_eq!(body["messages"][4]["reasoning_content"], "");
    assert!(body["messages"][5].get("reasoning_content").is_none());
    let omitted = asked(&with(ReasoningState::Omit), &messages, &[]);
    assert!(!omitted.to_string().contains("reasoning_content"));
}
