use monstrum_wire::policy::{Generation, Model, PromptCache, ReasoningEffort, ReasoningState, Thinking};
use rstest::rstest;

use super::*;
use crate::providers::conversation::{Block, Image, Message, Opaque, Origin, ToolCall};

fn model() -> Model {
    Model {
        provider: "p".to_owned(),
        id: "m".to_owned(),
        max_output_tokens: 8192,
        ..Model::default()
    }
}

fn thinking(effort: ReasoningEffort) -> Model {
    Model {
        generation: Some(Generation {
            reasoning_effort: effort.into(),
            ..Generation::default()
        }),
        ..model()
    }
}

fn shaped(model: Model, shape: RequestShape) -> Model {
    Model {
        request: Some(shape),
        ..model
    }
}

fn call(id: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: "t".to_owned(),
        arguments: r#"{"a":1}"#.to_owned(),
    }
}

fn user(text: &str, images: Vec<Image>) -> Message {
    Message::User {
        text: text.to_owned(),
        images,
    }
}

fn said(text: &str, calls: &[&str], state: Opaque) -> Message {
    Message::Assistant {
        text: text.to_owned(),
        calls: calls.iter().map(|id| call(id)).collect(),
        origin: Some(Origin::of(&model())),
        state,
    }
}

fn result(id: &str, ok: bool, images: Vec<Image>) -> Message {
    Message::ToolResult {
        id: id.to_owned(),
        content: "r".to_owned(),
        images,
        ok,
    }
}

fn signed() -> Value {
    json!({"type": "thinking", "thinking": "hm \u{1f600}", "signature": "EqoB"})
}

fn thought(places: &[(usize, usize)]) -> Opaque {
    let block = |(text, calls): &(usize, usize)| Block {
        text: *text,
        calls: *calls,
        content: signed(),
    };
    Opaque {
        blocks: places.iter().map(block).collect(),
        ..Opaque::default()
    }
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

fn tool(name: &str) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        description: "d".to_owned(),
        parameters: json!({ "type": "object", "properties": {}, "additionalProperties": false }),
    }
}

#[test]
fn a_conversation_becomes_alternating_messages() {
    let model = Model {
        temperature: Some(0.5),
        max_output_tokens: 9,
        ..model()
    };
    let messages = [
        user("hello", Vec::new()),
        said(" ", &["1", "2"], Opaque::default()),
        result("1", true, Vec::new()),
        result("2", false, Vec::new()),
        user("and now?", Vec::new()),
    ];
    insta::assert_json_snapshot!(asked(&model, &messages, &[tool("t"), tool("u")]));
}

#[test]
fn what_a_bot_wants_is_said_in_the_dialects_words() {
    let generation = Generation {
        top_p: Some(0.95),
        stop: vec!["END".to_owned()],
        tool_choice: ToolChoice::Required.into(),
        parallel_tool_calls: Some(false),
        ..Generation::default()
    };
    let shape = RequestShape {
        strict_tools: true,
        whole_answers: true,
        extra_body_json: r#"{"top_k":4,"model":"other","system":"obey"}"#.to_owned(),
        prompt_cache: PromptCache::Off.into(),
        ..RequestShape::default()
    };
    let model = Model {
        generation: Some(generation),
        ..shaped(model(), shape)
    };
    insta::assert_json_snapshot!(asked(&model, &[user("hello", Vec::new())], &[tool("t")]));
}

#[rstest]
#[case::default(ToolChoice::Unspecified, None, Value::Null)]
#[case::auto(ToolChoice::Auto, None, json!({"type": "auto"}))]
#[case::required(ToolChoice::Required, Some(true), json!({"type": "any", "disable_parallel_tool_use": false}))]
#[case::none(ToolChoice::None, Some(false), json!({"type": "none"}))]
#[case::one_at_a_time(ToolChoice::Unspecified, Some(false), json!({"type": "auto", "disable_parallel_tool_use": true}))]
fn the_choice_of_tools_holds_the_switch_for_parallel_calls(
    #[case] choice: ToolChoice,
    #[case] parallel: Option<bool>,
    #[case] expected: Value,
) {
    let model = Model {
        generation: Some(Generation {
            tool_choice: choice.into(),
            parallel_tool_calls: parallel,
            ..Generation::default()
        }),
        ..model()
    };
    let body = asked(&model, &[user("a", Vec::new())], &[tool("t")]);
    assert_eq!(body["tool_choice"], expected);
}

#[test]
fn a_request_has_four_marks_at_most() {
    let mut messages = vec![user("hello", Vec::new())];
    for round in 0..5 {
        messages.push(said("", &[&round.to_string()], thought(&[(0, 0)])));
        messages.push(result(&round.to_string(), true, Vec::new()));
    }
    for (cache, mark) in [
        (PromptCache::Unspecified, json!({"type": "ephemeral"})),
        (PromptCache::OneHour, json!({"type": "ephemeral", "ttl": "1h"})),
    ] {
        let shape = RequestShape {
            prompt_cache: cache.into(),
            ..RequestShape::default()
        };
        let body = asked(&shaped(model(), shape), &messages, &[tool("t"), tool("u")]);
        assert_eq!(body.to_string().matches("cache_control").count(), 4);
        assert_eq!(body["system"][0]["cache_control"], mark);
        assert_eq!(body["tools"][1]["cache_control"], mark);
        assert_eq!(body["messages"][10]["content"][0]["cache_control"], mark);
        assert_eq!(body["messages"][8]["content"][0]["cache_control"], mark);
    }
}

#[test]
fn images_are_shown_to_a_model_that_takes_them_and_told_to_one_that_does_not() {
    let image = || Image::of(b"\x89PNG\r\n\x1a\n").unwrap();
    let messages = [
        user("look", vec![image()]),
        said("", &["1"], Opaque::default()),
        result("1", true, vec![image()]),
    ];
    let block = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}});
    let sees = Model {
        images: true,
        ..model()
    };
    let shown = asked(&sees, &messages, &[]);
    assert_eq!(shown["messages"][0]["content"][0], block);
    assert_eq!(
        shown["messages"][2]["content"][0]["content"],
        json!([block, {"type": "text", "text": "r"}])
    );
    let told = asked(&model(), &messages, &[]);
    assert_eq!(
        told["messages"][2]["content"][0]["content"][0]["text"],
        "[an image: image/png, 8 bytes]"
    );
    assert!(!told.to_string().contains("base64"));
}

#[rstest]
#[case::unset(model(), Value::Null)]
#[case::none(thinking(ReasoningEffort::None), json!({"type": "disabled"}))]
#[case::least(thinking(ReasoningEffort::Minimal), json!({"type": "enabled", "budget_tokens": 1024}))]
#[case::half(thinking(ReasoningEffort::Medium), json!({"type": "enabled", "budget_tokens": 4096}))]
#[case::most(thinking(ReasoningEffort::ExtraHigh), json!({"type": "enabled", "budget_tokens": 7168}))]
#[case::no_room(
    Model { max_output_tokens: 1024, ..thinking(ReasoningEffort::High) },
    json!({"type": "disabled"})
)]
fn effort_is_a_share_of_the_answer(#[case] model: Model, #[case] expected: Value) {
    assert_eq!(asked(&model, &[user("a", Vec::new())], &[])["thinking"], expected);
}

#[rstest]
#[case(ReasoningEffort::Unspecified, Value::Null, Value::Null)]
#[case(ReasoningEffort::None, json!({"type": "disabled"}), Value::Null)]
#[case(ReasoningEffort::Low, json!({"type": "adaptive"}), json!({"effort": "low"}))]
#[case(ReasoningEffort::ExtraHigh, json!({"type": "adaptive"}), json!({"effort": "xhigh"}))]
#[case(ReasoningEffort::Max, json!({"type": "adaptive"}), json!({"effort": "max"}))]
fn effort_is_a_word_for_an_adaptive_model(
    #[case] effort: ReasoningEffort,
    #[case] thinks: Value,
    #[case] config: Value,
) {
    let shape = RequestShape {
        thinking: Thinking::Adaptive.into(),
        ..RequestShape::default()
    };
    let body = asked(&shaped(thinking(effort), shape), &[user("a", Vec::new())], &[]);
    assert_eq!((&body["thinking"], &body["output_config"]), (&thinks, &config));
}

#[test]
fn thoughts_go_back_where_they_stood_and_unaltered() {
    let messages = [
        user("a", Vec::new()),
        said("one two", &["1", "2"], thought(&[(0, 0), (4, 0), (7, 1)])),
        result("1", true, Vec::new()),
        result("2", true, Vec::new()),
    ];
    let body = asked(&thinking(ReasoningEffort::High), &messages, &[]);
    let kinds: Vec<_> = body["messages"][1]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| {
            block["text"]
                .as_str()
                .or(block["type"].as_str())
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "thinking", "one ", "thinking", "two", "tool_use", "thinking", "tool_use"
        ]
    );
    assert_eq!(body["messages"][1]["content"][0], signed());
    assert_eq!(body["thinking"]["type"], "enabled");
}

/// The API refuses a turn with thinking whose calls come without it, and blocks of another model.
#[rstest]
#[case::dropped(model(), Opaque::default(), RequestShape::default())]
#[case::of_another_model(Model { id: "other".to_owned(), ..model() }, thought(&[(0, 0)]), RequestShape::default())]
#[case::not_to_go_back(
    model(),
    thought(&[(0, 0)]),
    RequestShape { reasoning_state: ReasoningState::Omit.into(), ..RequestShape::default() }
)]
fn a_turn_whose_thoughts_are_gone_goes_on_without_thinking(
    #[case] asked_model: Model,
    #[case] state: Opaque,
    #[case] shape: RequestShape,
) {
    let generation = thinking(ReasoningEffort::High).generation;
    let model = Model {
        generation,
        ..shaped(asked_model, shape)
    };
    let turn = [
        user("a", Vec::new()),
        said("", &["1"], state),
        result("1", true, Vec::new()),
    ];
    let body = asked(&model, &turn, &[]);
    assert_eq!(body["thinking"], Value::Null);
    assert!(!body.to_string().contains("EqoB"));
    // The next turn thinks again.
    let next = [
        turn.to_vec(),
        vec![said("done", &[], Opaque::default()), user("b", Vec::new())],
    ]
    .concat();
    assert_eq!(asked(&model, &next, &[])["thinking"]["type"], "enabled");
}
