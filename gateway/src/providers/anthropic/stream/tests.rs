use crate::providers::answer::testing;
use crate::providers::anthropic::Anthropic;
use crate::providers::conversation::{Answer, Stop};
use crate::providers::{Claim, ModelError};
use rstest::rstest;

const START: &str = r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":50,"cache_creation_input_tokens":200,"cache_read_input_tokens":1000,"output_tokens":1}}}"#;
const TOOL: &str = r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"tu","name":"t","input":{}}}"#;
const END: &str =
    r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":42}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

const SAMPLE: &str = r#"{"type":"content_block_start","index":18446744073709551615,"content_block":{"type":"tool_use","id":null,"input":[1,{"a":null}]}}"#;

fn read(events: &[&str]) -> Result<Answer, ModelError> {
    testing::events(&Anthropic, events)
}

fn fragment(json: &str) -> String {
    format!(
        r#"{{"type":"content_block_delta","index":1,"delta":{{"type":"input_json_delta","partial_json":{}}}}}"#,
        serde_json::to_string(json).unwrap()
    )
}

#[test]
fn text_call_and_usage_are_read() {
    let answer = read(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        TOOL,
        &fragment(r#"{"x": 1, "#),
        &fragment(r#""x": 2}"#),
        END,
        STOP,
    ])
    .unwrap();
    assert_eq!(answer.text, "hi");
    assert_eq!(answer.calls[0].arguments, r#"{"x": 1, "x": 2}"#);
    assert_eq!(
        answer.usage,
        Claim {
            input: Some(1250),
            cached: Some(1000),
            cache_written: Some(200),
            output: Some(42)
        }
    );
}

#[test]
fn a_call_without_fragments_has_the_input_of_its_start() {
    assert_eq!(read(&[START, TOOL, END]).unwrap().calls[0].arguments, "{}");
    let whole = TOOL.replace(r#""input":{}"#, r#""input":{"a":1,"a":2}"#);
    assert_eq!(
        read(&[START, &whole, END]).unwrap().calls[0].arguments,
        r#"{"a":1,"a":2}"#
    );
    let (none, null) = (TOOL.replace(r#","input":{}"#, ""), TOOL.replace("{}", "null"));
    for start in [none, null] {
        assert_eq!(read(&[START, &start, END]).unwrap().calls[0].arguments, "{}");
        let answer = read(&[START, &start, &fragment("{\"a\":1}"), END]).unwrap();
        assert_eq!(answer.calls[0].arguments, "{\"a\":1}");
    }
}

#[test]
fn thinking_is_not_shown() {
    let answer = read(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":42}}"#,
    ])
    .unwrap();
    assert_eq!(answer.text, "");
}

#[test]
fn a_stream_that_ends_early_broke_off() {
    assert_eq!(read(&[START, TOOL, &fragment("{")]), Err(ModelError::Cut));
    assert_eq!(read(&[START, TOOL, &fragment("{}")]), Err(ModelError::Cut));
    // What stands at a call's beginning says nothing of what was still to come.
    assert_eq!(read(&[START, TOOL, "[DONE]"]), Err(ModelError::Cut));
}

#[test]
fn either_mark_of_the_end_will_do() {
    assert_eq!(
        read(&[START, TOOL, &fragment("{}"), END, "[DONE]"])
            .unwrap()
            .calls
            .len(),
        1
    );
    assert_eq!(
        read(&[START, TOOL, &fragment("{}"), "[DONE]"])
            .unwrap()
            .calls
            .len(),
        1
    );
    assert_eq!(
        read(&[START, TOOL, &fragment("{}"), STOP]).unwrap().calls.len(),
        1
    );
}

#[rstest]
#[case::limit("max_tokens", "{\"x\":1}", Stop::Length)]
#[case::limit_in_a_call("max_tokens", "{\"x\":", Stop::Length)]
#[case::context("model_context_window_exceeded", "{}", Stop::Length)]
#[case::half_call("tool_use", "{\"x\":", Stop::HalfCall)]
#[case::refusal("refusal", "{}", Stop::Filtered)]
fn no_call_is_made_from_a_cut_answer(#[case] reason: &str, #[case] input: &str, #[case] stop: Stop) {
    let end = END.replace("tool_use", reason);
    let answer = read(&[START, TOOL, &fragment(input), &end, STOP]).unwrap();
    assert_eq!(
        (answer.calls.len(), answer.unmade.len(), answer.stop),
        (0, usize::from(stop != Stop::Filtered), stop)
    );
}

#[test]
fn overload_in_mid_stream_is_transient() {
    let event = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert!(read(&[START, event]).unwrap_err().is_transient());
}

#[test]
fn an_event_of_a_kind_that_is_not_known_yet_is_left_out() {
    let event = r#"{"type":"message_checked","message":"fine"}"#;
    assert_eq!(
        read(&[START, event, TOOL, &fragment("{}"), END, STOP])
            .unwrap()
            .calls
            .len(),
        1
    );
}

#[test]
fn a_whole_message_is_an_answer() {
    let message = r#"{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"hi"},
        {"type":"tool_use","id":"tu","name":"t","input":{"x":1,"x":2}},{"type":"tool_use","id":"tv","name":"u","input":{}}],
        "stop_reason":"tool_use","usage":{"input_tokens":9,"output_tokens":2}}"#;
    let answer = testing::body(&Anthropic, message.as_bytes()).unwrap();
    assert_eq!(answer.text, "hi");
    let arguments: Vec<&str> = answer.calls.iter().map(|call| call.arguments.as_str()).collect();
    assert_eq!(arguments, [r#"{"x":1,"x":2}"#, "{}"]);
    assert_eq!(answer.usage.input, Some(9));
}

#[test]
fn signed_thinking_is_kept_as_it_came_in_its_place() {
    let answer = read(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"Eq=="}}"#,
        TOOL,
        &fragment("{}"),
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"redacted_thinking","data":"x"}}"#,
        END,
        STOP,
    ])
    .unwrap();
    let blocks: Vec<_> = answer
        .state
        .blocks
        .iter()
        .map(|block| (block.calls, &block.content))
        .collect();
    let thinking = serde_json::json!({"type": "thinking", "thinking": "hm", "signature": "Eq=="});
    let redacted = serde_json::json!({"type": "redacted_thinking", "data": "x"});
    assert_eq!(blocks, [(0, &thinking), (1, &redacted)]);
    let cut = END.replace("tool_use", "max_tokens");
    assert!(read(&[START, TOOL, &cut]).unwrap().state.is_empty());
}

proptest::proptest! {
    /// Whatever a server sends is read or refused, and nothing of it ends the process.
    #[test]
    fn garbage_is_refused_without_a_panic(events in proptest::collection::vec(".{0,60}", 0..4), cut in 0_usize..200) {
        let whole = SAMPLE.get(..cut.min(SAMPLE.len())).unwrap_or(SAMPLE);
        let mut events: Vec<&str> = events.iter().map(String::as_str).collect();
        events.push(whole);
        drop(read(&events));
    }
}
