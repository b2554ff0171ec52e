//! What a model is asked: images, requests as the policy shapes them, and a conversation that another model began.

use monstrum_wire::chat::SendRequest;
use monstrum_wire::policy::{Dialect, Generation, Model, RequestShape, Settings, ToolChoice};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::model::Reply;
use crate::support::policies::{Held, TOKEN};
use crate::support::runner::Act;
use crate::support::world::{MODEL_KEY, World, request};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const ARGUMENTS: &str = r#"{"owner":"acme","repo":"web"}"#;

fn changed(world: &World, change: impl FnOnce(&mut Model)) -> Settings {
    let mut settings = world.settings();
    change(settings.model.as_mut().unwrap());
    settings
}

fn showing(session: &str, images: &[&[u8]]) -> SendRequest {
    SendRequest {
        images: images.iter().map(|image| image.to_vec()).collect(),
        ..request(session, "what is this?")
    }
}

#[tokio::test]
async fn an_image_is_shown_to_the_model_in_this_turn_and_the_next() {
    let world = World::start().await;
    let settings = changed(&world, |model| model.images = true);
    world.enforce_with(&[Held::default()], settings, 60).await;
    world.model.script([Reply::text("a cat"), Reply::text("grey")]);

    let turn = world.send(showing("", &[PNG])).await;
    assert_eq!(turn.done().text, "a cat");
    world.send(request(&turn.session(), "which colour?")).await.done();

    for seen in world.model.seen() {
        let content = &seen.json()["messages"][1]["content"];
        assert_eq!(content[0]["text"], "what is this?");
        assert_eq!(
            content[1]["image_url"]["url"],
            "data:image/png;base64,iVBORw0KGgo="
        );
    }
}

#[tokio::test]
async fn a_model_that_takes_no_images_is_told_of_them() {
    let world = World::start().await;
    world.model.script([Reply::text("I can't see it")]);
    world.send(showing("", &[PNG])).await.done();
    assert_eq!(
        world.model.seen()[0].json()["messages"][1]["content"],
        "what is this?\n[an image: image/png, 8 bytes]"
    );
}

#[rstest]
#[case::no_image(vec![b"<svg/>".to_vec()])]
#[case::too_many(vec![PNG.to_vec(); 5])]
#[tokio::test]
async fn what_is_no_image_or_too_much_starts_no_turn(#[case] images: Vec<Vec<u8>>) {
    let world = World::start().await;
    let message = SendRequest {
        images,
        ..request("", "look")
    };
    assert_eq!(world.send(message).await.failed().code, "InvalidMessage");
    assert_eq!(world.model.seen().len(), 0);
}

#[tokio::test]
async fn an_image_that_a_call_returns_is_shown_to_the_model_and_told_to_the_user() {
    let world = World::start().await;
    let settings = changed(&world, |model| model.images = true);
    world.enforce_with(&[Held::default()], settings, 60).await;
    world
        .model
        .script([Reply::call("list_issues", ARGUMENTS), Reply::text("a chart")]);
    world.runner.script([Act::Image(PNG.to_vec())]);

    let turn = world.say("show me").await;

    assert_eq!(turn.done().text, "a chart");
    assert_eq!(turn.results()[0].content, "[an image: image/png, 8 bytes]");
    assert!(world.runner.executed()[0].max_image_bytes > 0);
    let messages = world.model.seen()[1].json()["messages"].clone();
    assert_eq!(messages[3]["role"], "tool");
    assert_eq!(
        messages[4]["content"][1]["image_url"]["url"],
        "data:image/png;base64,iVBORw0KGgo="
    );
}

#[tokio::test]
async fn an_image_with_a_secret_in_it_is_shown_to_nobody() {
    let world = World::start().await;
    let settings = changed(&world, |model| model.images = true);
    world.enforce_with(&[Held::default()], settings, 60).await;
    world
        .model
        .script([Reply::call("list_issues", ARGUMENTS), Reply::text("nothing")]);
    world
        .runner
        .script([Act::Image([PNG, TOKEN.as_bytes()].concat())]);

    let turn = world.say("show me").await;

    assert!(turn.results()[0].content.contains("can't be shown"));
    assert!(!world.model.everything().contains("iVBORw0KGgo"));
}

#[tokio::test]
async fn a_call_is_required_at_the_first_question_only() {
    let world = World::start().await;
    let settings = changed(&world, |model| {
        model.generation = Some(Generation {
            tool_choice: ToolChoice::Required.into(),
            parallel_tool_calls: Some(false),
            ..Generation::default()
        });
        model.request = Some(RequestShape {
            omit_stream_usage: true,
            output_limit_field: "max_completion_tokens".to_owned(),
            extra_body_json: r#"{"service_tier":"flex"}"#.to_owned(),
            ..RequestShape::default()
        });
    });
    world.enforce_with(&[Held::default()], settings, 60).await;
    world
        .model
        .script([Reply::call("list_issues", ARGUMENTS), Reply::text("none")]);

    assert_eq!(world.say("what is open?").await.done().text, "none");

    let asked: Vec<Value> = world.model.seen().iter().map(|seen| seen.json()).collect();
    let choices: Vec<_> = asked.iter().map(|body| body["tool_choice"].clone()).collect();
    assert_eq!(choices, ["required", "auto"]);
    for body in asked {
        assert_eq!(body["parallel_tool_calls"], false);
        assert_eq!(body["max_completion_tokens"], 1000);
        assert_eq!(body["service_tier"], "flex");
        assert!(body.get("stream_options").is_none() && body.get("max_tokens").is_none());
    }
}

/// Each provider refuses ids of another one's form.
#[tokio::test]
async fn a_conversation_goes_on_with_another_model_of_another_dialect() {
    let world = World::start().await;
    world.model.script([
        Reply::calls(&[("functions.list_issues:0", "list_issues", ARGUMENTS)]),
        Reply::text("none"),
        Reply::text("still none"),
    ]);
    let turn = world.say("what is open?").await;
    turn.done();
    let settings = changed(&world, |model| {
        model.dialect = Dialect::Anthropic.into();
        model.id = "another".to_owned();
    });
    world.enforce_with(&[Held::default()], settings, 60).await;
    world.send(request(&turn.session(), "and now?")).await.done();

    let seen = world.model.seen();
    assert_eq!(
        seen[1].json()["messages"][3]["tool_call_id"],
        "functions.list_issues:0"
    );
    let messages = seen[2].json()["messages"].clone();
    let id = messages[1]["content"][0]["id"].as_str().unwrap().to_owned();
    assert!(
        id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{id}"
    );
    assert_eq!(messages[2]["content"][0]["tool_use_id"], json!(id));
}

/// The error names what to change.
#[tokio::test]
async fn a_refusal_for_the_requests_shape_names_the_field_to_change() {
    let world = World::start().await;
    let refusal = r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#;
    world.model.script([Reply::failing(400, refusal)]);
    let failed = world.say("hello").await.failed();
    assert_eq!(failed.code, "ModelUnavailable");
    assert!(
        failed.message.contains("request.outputLimitField"),
        "{}",
        failed.message
    );
}

fn chunk(delta: &Value, finish: &Value) -> String {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
    format!("data: {}\n\n", json!({ "choices": [choice] }))
}

/// A call of a model that reasons, as a stream.
fn reasoned(thought: &str) -> Reply {
    let call = json!({
        "index": 0, "id": "call_1", "type": "function",
        "function": { "name": "list_issues", "arguments": ARGUMENTS },
        "extra_content": { "google": { "thought_signature": "Q8Uf+/==" } },
    });
    let (first, second) = thought.split_at(thought.len() / 2);
    let stream = [
        chunk(
            &json!({ "role": "assistant", "reasoning_content": first }),
            &Value::Null,
        ),
        chunk(&json!({ "reasoning_content": second }), &Value::Null),
        chunk(&json!({ "tool_calls": [call] }), &Value::Null),
        chunk(&json!({}), &json!("tool_calls")),
        "data: [DONE]\n\n".to_owned(),
    ];
    Reply {
        raw: Some(stream.concat()),
        ..Reply::text("")
    }
}

/// A provider refuses the next request without it.
#[tokio::test]
async fn what_a_provider_sends_with_a_call_goes_back_with_it() {
    let world = World::start().await;
    world.model.script([
        reasoned("I should look."),
        Reply::text("none"),
        Reply::text("still none"),
    ]);

    let turn = world.say("what is open?").await;
    assert_eq!(turn.done().text, "none");
    world.send(request(&turn.session(), "and now?")).await.done();

    for seen in &world.model.seen()[1..] {
        let answer = seen.json()["messages"][2].clone();
        assert_eq!(answer["reasoning_content"], "I should look.");
        let signature = &answer["tool_calls"][0]["extra_content"]["google"]["thought_signature"];
        assert_eq!(signature, "Q8Uf+/==");
    }
}

#[tokio::test]
async fn a_secret_in_what_a_provider_sends_goes_nowhere_and_the_turn_goes_on() {
    let world = World::start().await;
    world
        .model
        .script([reasoned(&format!("The key is {MODEL_KEY}.")), Reply::text("none")]);

    assert_eq!(world.say("what is open?").await.done().text, "none");

    // Whole or not at all, with what providers document in its place.
    let answer = world.model.seen()[1].json()["messages"][2].clone();
    assert_eq!(answer["reasoning_content"], "");
    assert!(!world.model.everything().contains(MODEL_KEY));
}

#[tokio::test]
async fn signed_thoughts_go_back_as_they_came() {
    let world = World::start().await;
    let settings = changed(&world, |model| model.dialect = Dialect::Anthropic.into());
    world.enforce_with(&[Held::default()], settings, 60).await;
    let events = [
        json!({"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 10, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "I should look."}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "EqoB"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "list_issues", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ARGUMENTS}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 42}}),
        json!({"type": "message_stop"}),
    ];
    let stream = events.iter().map(|event| format!("data: {event}\n\n"));
    let reply = Reply {
        raw: Some(stream.collect()),
        ..Reply::text("")
    };
    world.model.script([reply, Reply::text("none")]);

    assert_eq!(world.say("what is open?").await.done().text, "none");

    let answer = world.model.seen()[1].json()["messages"][1]["content"].clone();
    assert_eq!(
        answer[0],
        json!({"type": "thinking", "thinking": "I should look.", "signature": "EqoB"})
    );
    assert_eq!(answer[1]["id"], "toolu_1");
}
