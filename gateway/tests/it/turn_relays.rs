//! What relays and providers were seen to send beside the ordinary forms, and conversations that some of them refuse.

use std::time::{Duration, Instant};

use monstrum_wire::policy::{self, Dialect};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::model::Reply;
use crate::support::policies::Held;
use crate::support::world::{World, request};

const ARGUMENTS: &str = r#"{"owner":"acme","repo":"web"}"#;
const END: &str = "data: [DONE]\n\n";

async fn world(change: impl FnOnce(&mut policy::Model)) -> World {
    let world = World::start().await;
    let mut settings = world.settings();
    change(settings.model.as_mut().unwrap());
    world.enforce_with(&[Held::default()], settings, 60).await;
    world
}

fn event(json: &Value) -> String {
    format!("data: {json}\n\n")
}

fn chunk(delta: &Value, reason: &str) -> Value {
    let reason = Some(reason).filter(|reason| !reason.is_empty());
    json!({
        "object": "chat.completion.chunk",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }]
    })
}

fn called(reason: &str) -> Value {
    let function = json!({ "name": "list_issues", "arguments": ARGUMENTS });
    chunk(
        &json!({ "tool_calls": [{ "index": 0, "id": "call_1", "type": "function", "function": function }] }),
        reason,
    )
}

fn sent(parts: &[String]) -> Reply {
    Reply::failing(200, &parts.concat())
}

#[rstest]
#[case::in_a_stream(true)]
#[case::in_one_piece(false)]
#[tokio::test]
async fn an_error_with_nothing_in_it_is_none(#[case] streams: bool) {
    let world = World::start().await;
    let error = json!({ "message": "", "type": "", "param": "", "code": null });
    let mut answer = chunk(&json!({ "content": "hi" }), "stop");
    answer["error"] = error;
    let reply = if streams {
        sent(&[event(&answer), END.to_owned()])
    } else {
        answer["object"] = json!("chat.completion");
        let said = answer["choices"][0]["delta"].take();
        answer["choices"][0]["message"] = said;
        Reply::failing(200, &answer.to_string())
    };
    world.model.script([reply]);
    assert_eq!(world.say("go").await.done().text, "hi");
    assert_eq!(world.model.seen().len(), 1);
}

#[tokio::test]
async fn events_and_comments_that_a_relay_made_events_of_are_read() {
    let world = World::start().await;
    let hi = event(&chunk(&json!({ "content": "hi" }), ""));
    world.model.script([sent(&[
        "data: : PROCESSING\n\n".to_owned(),
        format!("data: {hi}"),
        format!("data: {}", event(&chunk(&json!({}), "stop"))),
        "data: data: \"[DONE]\"\n\n".to_owned(),
    ])]);
    assert_eq!(world.say("go").await.done().text, "hi");
    assert_eq!(world.model.seen().len(), 1);
}

/// What the provider made of a call that it could not read is not what the model meant.
#[rstest]
#[case("function_call_filter: MALFORMED_FUNCTION_CALL")]
#[case("MALFORMED_FUNCTION_CALL")]
#[tokio::test]
async fn a_call_that_its_provider_calls_malformed_is_not_made(#[case] reason: &str) {
    let world = World::start().await;
    let malformed = sent(&[event(&called(reason)), END.to_owned()]);
    world.model.script([malformed, Reply::text("again")]);
    assert_eq!(world.say("go").await.done().text, "again");
    assert_eq!(world.runner.executed(), []);
}

#[rstest]
#[case("content-filter")]
#[case("content_filter: PROHIBITED_CONTENT")]
#[tokio::test]
async fn an_answer_is_withheld_in_whatever_spelling(#[case] reason: &str) {
    let world = World::start().await;
    let withheld = event(&chunk(&json!({ "content": "hi" }), reason));
    world.model.script([sent(&[withheld, END.to_owned()])]);
    let told = world.say("go").await.done().text;
    assert!(told.starts_with("hi") && told.contains("withheld"), "{told}");
}

#[tokio::test]
async fn a_tool_that_the_provider_ran_itself_is_no_call_of_ours() {
    let world = world(|model| model.dialect = Dialect::Anthropic.into()).await;
    let ran = json!({ "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {} });
    let events = [
        json!({ "type": "message_start", "message": { "id": "m", "content": [], "usage": { "input_tokens": 100 } } }),
        json!({ "type": "content_block_start", "index": 0, "content_block": ran }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "input_json_delta", "partial_json": "{\"q\":1}" } }),
        json!({ "type": "content_block_start", "index": 1, "content_block": { "type": "text", "text": "hi" } }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 9 } }),
        json!({ "type": "message_stop" }),
    ];
    // Twice, as it may run several.
    let (first, rest) = events.split_at(3);
    let again = first[1..].iter().map(|event| {
        let mut event = event.clone();
        event["index"] = json!(2);
        event
    });
    let events: Vec<Value> = first
        .iter()
        .cloned()
        .chain(again)
        .chain(rest.iter().cloned())
        .collect();
    let events: Vec<String> = events.iter().map(event).collect();
    world.model.script([sent(&events), Reply::text("more")]);
    let turn = world.say("go").await;
    assert_eq!((turn.done().text.as_str(), turn.decisions().len()), ("hi", 0));
    world.send(request(&turn.session(), "on")).await.done();
    let next = world.model.seen()[1].json().to_string();
    assert!(
        !next.contains("server_tool_use"),
        "half a block is worth a refusal"
    );
}

#[tokio::test]
async fn what_was_written_to_a_cache_costs_its_own_price_in_either_dialect() {
    let world = world(|model| model.prices.as_mut().unwrap().cache_write = 30_000_000).await;
    let usage = json!({
        "prompt_tokens": 2600, "completion_tokens": 300, "total_tokens": 2900,
        "prompt_tokens_details": { "cached_tokens": 2000, "cache_write_tokens": 400 }
    });
    let counts = json!({ "object": "chat.completion.chunk", "choices": [], "usage": usage });
    let said = event(&chunk(&json!({ "content": "hi" }), "stop"));
    world
        .model
        .script([sent(&[said, event(&counts), END.to_owned()])]);
    let used = world.say("go").await.done().usage.unwrap();
    let expected = 200 * 3 + 2000 * 3 / 10 + 400 * 30 + 300 * 15;
    assert_eq!(used.cost_micro_usd, expected);
}

#[rstest]
#[case(
    413,
    "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 14368",
    "maxOutputTokens"
)]
#[case(
    429,
    "Request too large for gpt-4o on tokens per min (TPM): Limit 30000",
    "maxOutputTokens"
)]
#[case(404, "404 page not found", "baseUrl")]
#[case(405, "Method Not Allowed", "baseUrl")]
#[case(200, "<!doctype html><title>Open WebUI</title>", "baseUrl")]
#[tokio::test]
async fn what_is_of_no_use_to_ask_again_is_asked_once_and_says_what_to_change(
    #[case] status: u16,
    #[case] words: &str,
    #[case] remedy: &str,
) {
    let world = World::start().await;
    let body = json!({ "error": { "message": words, "type": "tokens", "code": "rate_limit_exceeded" } });
    let body = if status == 413 || status == 429 {
        body.to_string()
    } else {
        words.to_owned()
    };
    world.model.script([Reply::failing(status, &body)]);
    let told = world.say("go").await.failed().message;
    assert!(told.contains(remedy), "{told}");
    assert_eq!(world.model.seen().len(), 1);
}

#[rstest]
#[case::elsewhere(
    "https://llm.example.com/v1/chat/completions?state=x#y",
    "https://llm.example.com/v1/chat/completions,"
)]
#[case::beside("/v1/chat/completions/", "/v1/chat/completions/,")]
#[tokio::test]
async fn a_redirect_is_not_followed_and_says_where_it_leads(#[case] location: &str, #[case] expected: &str) {
    let world = World::start().await;
    let moved = Reply {
        headers: vec![("location", location.to_owned())],
        ..Reply::failing(308, "")
    };
    world.model.script([moved]);
    let told = world.say("go").await.failed().message;
    assert!(told.contains(expected) && told.contains("baseUrl"), "{told}");
    assert_eq!(world.model.seen().len(), 1);
}

#[tokio::test]
async fn a_provider_that_asks_for_no_wait_is_not_asked_four_times_in_a_moment() {
    let world = World::start().await;
    let limited = Reply {
        headers: vec![("retry-after", "0".to_owned())],
        ..Reply::failing(429, "{}")
    };
    world.model.script(vec![limited; 4]);
    let began = Instant::now();
    world.say("go").await.failed();
    assert!(began.elapsed() >= Duration::from_millis(1700));
    assert_eq!(world.model.seen().len(), 4);
}

/// Mistral refuses a person's words behind the result of a call, templates of Mistral's and Google's those behind a person's.
#[tokio::test]
async fn a_conversation_whose_turns_failed_still_alternates() {
    let world = World::start().await;
    let no = || Reply::failing(400, "no");
    world.model.script([
        Reply::call("list_issues", ARGUMENTS),
        no(),
        no(),
        Reply::text("fine"),
    ]);
    let turn = world.say("one").await;
    turn.failed();
    world.send(request(&turn.session(), "two")).await.failed();
    let last = world.send(request(&turn.session(), "three")).await;
    assert_eq!(last.done().text, "fine");
    let asked = world.model.seen()[3].json();
    let roles: Vec<&str> = asked["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    let expected = [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
        "assistant",
        "user",
    ];
    assert_eq!(roles, expected);
    assert!(!asked["messages"][4]["content"].as_str().unwrap().is_empty());
}

/// The API refuses a conversation with calls in a request without tools.
#[tokio::test]
async fn a_conversation_with_calls_goes_on_when_every_tool_was_revoked() {
    let world = world(|model| model.dialect = Dialect::Anthropic.into()).await;
    world.model.script([
        Reply::call("list_issues", ARGUMENTS),
        Reply::text("one"),
        Reply::text("two"),
    ]);
    let turn = world.say("one").await;
    let mut settings = world.settings();
    settings.model.as_mut().unwrap().dialect = Dialect::Anthropic.into();
    world.enforce_with(&[], settings, 60).await;
    world.send(request(&turn.session(), "two")).await.done();
    let asked = world.model.seen()[2].json();
    assert_eq!(asked["tool_choice"], json!({ "type": "none" }));
    assert_eq!(asked["tools"][0]["name"], "none");
    assert_eq!(asked["tools"].as_array().unwrap().len(), 1);
}
