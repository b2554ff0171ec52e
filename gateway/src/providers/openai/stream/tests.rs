use crate::providers::answer::testing;
use crate::providers::conversation::{Answer, Stop};
use crate::providers::openai::OpenAi;
use crate::providers::{Claim, ErrorClass, ModelError};
use rstest::rstest;

const SAMPLE: &str = r#"{"choices":[{"delta":{"content":null,"tool_calls":[{"index":9,"id":"a","function":{"name":"t","arguments":{"a":1}}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#;

fn read(events: &[&str]) -> Result<Answer, ModelError> {
    testing::events(&OpenAi, events)
}

fn body(text: &str) -> Result<Answer, ModelError> {
    testing::body(&OpenAi, text.as_bytes())
}

fn chunk(delta: &str, finish: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]}}"#)
}

fn text(events: &[&str]) -> String {
    read(events).unwrap().text
}

#[test]
fn parallel_fragments_join_and_keep_the_models_text() {
    let answer = read(&[
        &chunk(r#"{"role":"assistant","content":"let me "}"#, "null"),
        &chunk(
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"t","arguments":""}}]}"#,
            "null",
        ),
        &chunk(
            r#"{"tool_calls":[{"index":1,"id":"b","function":{"name":"u","arguments":"{\"x\":1,"}}]}"#,
            "null",
        ),
        &chunk(
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#,
            "null",
        ),
        &chunk(
            r#"{"tool_calls":[{"index":1,"function":{"arguments":"\"x\":2}"}}]}"#,
            "\"tool_calls\"",
        ),
        "[DONE]",
    ])
    .unwrap();
    assert_eq!(answer.text, "let me ");
    let calls: Vec<_> = answer
        .calls
        .iter()
        .map(|call| (&*call.id, &*call.name, &*call.arguments))
        .collect();
    assert_eq!(calls, [("a", "t", "{}"), ("b", "u", r#"{"x":1,"x":2}"#)]);
}

#[rstest]
#[case::openai(r#"{"cached_tokens":4,"cache_write_tokens":3}"#, "")]
#[case::litellm(
    r#"{"cached_tokens":4,"cache_creation_tokens":3}"#,
    r#","cache_creation_input_tokens":3"#
)]
#[case::litellm_older(r#"{"cached_tokens":4}"#, r#","cache_creation_input_tokens":3"#)]
fn what_was_written_to_a_cache_is_read_in_each_of_its_forms(#[case] details: &str, #[case] beside: &str) {
    let usage = format!(
        r#"{{"choices":[],"usage":{{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{details}{beside}}}}}"#
    );
    let claim = read(&[&chunk(r#"{"content":"ok"}"#, "\"stop\""), &usage])
        .unwrap()
        .usage;
    assert_eq!(
        (claim.input, claim.cached, claim.cache_written),
        (Some(9), Some(4), Some(3))
    );
}

#[rstest]
#[case::openai(
    r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}}"#
)]
#[case::deepseek(
    r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_cache_hit_tokens":4}}"#
)]
#[case::moonshot(r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"cached_tokens":4}}"#)]
#[case::no_choices(
    r#"{"choices":null,"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_cache_hit_tokens":4}}"#
)]
#[case::in_the_choice(
    r#"{"choices":[{"index":0,"delta":{},"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_cache_hit_tokens":4}}]}"#
)]
#[case::output_from_the_total(
    r#"{"choices":[],"usage":{"prompt_tokens":9,"total_tokens":11,"prompt_cache_hit_tokens":4}}"#
)]
fn usage_is_read_in_each_of_its_forms(#[case] usage: &str) {
    let answer = read(&[&chunk(r#"{"content":"ok"}"#, "\"stop\""), usage]).unwrap();
    let expected = Claim {
        input: Some(9),
        cached: Some(4),
        cache_written: None,
        output: Some(2),
    };
    assert_eq!(answer.usage, expected);
}

#[rstest]
#[case::empty("{}", Claim::default())]
#[case::null_counts(
    r#"{"prompt_tokens":null,"completion_tokens":null,"total_tokens":null}"#,
    Claim::default()
)]
#[case::negative(r#"{"prompt_tokens":-1,"completion_tokens":-5}"#, Claim::default())]
#[case::nonsense(r#"{"prompt_tokens":{},"completion_tokens":"many"}"#, Claim::default())]
#[case::thinking_beside(r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":40}"#, Claim { input: Some(10), output: Some(30), ..Claim::default() })]
fn what_usage_does_not_say_is_unknown(#[case] usage: &str, #[case] expected: Claim) {
    let usage = format!(r#"{{"choices":[],"usage":{usage}}}"#);
    let answer = read(&[&chunk(r#"{"content":"ok"}"#, "\"stop\""), &usage, "[DONE]"]).unwrap();
    assert_eq!(answer.usage, expected);
}

#[test]
fn an_answer_without_a_reason_to_stop_broke_off() {
    assert_eq!(
        read(&[&chunk(r#"{"content":"half"}"#, "null")]),
        Err(ModelError::Cut)
    );
    assert_eq!(
        read(&[&chunk(r#"{"content":"half"}"#, "null"), "[DONE]"]),
        Err(ModelError::Cut)
    );
}

const CALL: &str = r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"t","arguments":"{\"x\":1}"}}]}"#;
const HALF: &str = r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"t","arguments":"{\"x\":"}}]}"#;

#[test]
fn a_whole_call_and_the_mark_of_the_end_is_a_call_and_a_bare_end_is_not() {
    assert_eq!(read(&[&chunk(CALL, "null"), "[DONE]"]).unwrap().calls.len(), 1);
    assert_eq!(read(&[&chunk(CALL, "null")]), Err(ModelError::Cut));
    assert_eq!(read(&[&chunk(HALF, "null"), "[DONE]"]), Err(ModelError::Cut));
}

#[rstest]
#[case::whole_call(CALL, "length", Stop::Length)]
#[case::half_call(HALF, "length", Stop::Length)]
#[case::other_word(CALL, "max_tokens", Stop::Length)]
#[case::half_call_called_finished(HALF, "stop", Stop::HalfCall)]
#[case::half_call_called_a_call(HALF, "tool_calls", Stop::HalfCall)]
#[case::filtered(CALL, "content_filter", Stop::Filtered)]
fn no_call_is_made_from_a_cut_answer(#[case] delta: &str, #[case] reason: &str, #[case] stop: Stop) {
    let answer = read(&[&chunk(delta, &format!("{reason:?}")), "[DONE]"]).unwrap();
    assert_eq!(
        (answer.calls.len(), answer.unmade.len(), answer.stop),
        (0, usize::from(stop != Stop::Filtered), stop)
    );
}

#[test]
fn an_object_in_place_of_text_is_kept_as_written() {
    let delta = r#"{"tool_calls":[{"id":"a","function":{"name":"t","arguments":{"x":1,"x":2}}}]}"#;
    assert_eq!(
        read(&[&chunk(delta, "\"stop\"")]).unwrap().calls[0].arguments,
        r#"{"x":1,"x":2}"#
    );
}

#[test]
fn an_error_inside_the_stream_is_an_error() {
    let class = |event: &str| match read(&[event]) {
        Err(ModelError::Provider(error)) => (error.class, error.status),
        other => panic!("{other:?}"),
    };
    let event = r#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#;
    assert_eq!(class(event), (ErrorClass::RateLimited, 0));
    let event = r#"{"error":{"message":"no","code":503}}"#;
    assert_eq!(class(event), (ErrorClass::Failed, 503));
}

#[rstest]
#[case::empty_events("data:\n\ndata: {c}\n\ndata: \n\ndata: {e}\n\n")]
#[case::keep_alives(
    ": ping\n\ndata: ping\n\ndata: {c}\n\nevent: heartbeat\ndata: heartbeat\n\ndata: {e}\n\n"
)]
#[case::no_blank_lines("data: {c}\ndata: {e}\ndata: [DONE]\n")]
#[case::line_of_json("data: {c}\n\n{e}\n")]
#[case::lines_of_json("{c}\n{e}\n")]
#[case::byte_order_mark("\u{feff}data: {c}\n\ndata: {e}")]
#[case::blank_beginning("\n\n  \ndata: {c}\n\ndata: {e}\n\n")]
#[case::error_after_the_end("data: {c}\n\ndata: {e}\n\ndata: {\"error\":\"x\"}\n\n")]
#[case::half_an_event_after_the_end("data: {c}\n\ndata: {e}\n\ndata: {\"choi\n\n")]
#[case::words_before("hello\ndata: {c}\n\ndata: {e}\n\n")]
fn the_envelope_is_read_leniently(#[case] form: &str) {
    let content = chunk(r#"{"content":"fine"}"#, "null");
    let end = chunk("{}", "\"stop\"");
    let answer = body(&form.replace("{c}", &content).replace("{e}", &end)).unwrap();
    assert_eq!(answer.text, "fine");
}

#[rstest]
#[case::parts(r#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#, "ab")]
#[case::unknown_parts(
    r#"[{"type":"image_url","text":"x"},{"type":"thinking","thinking":"x"},{"text":"b"},"c",7]"#,
    "bc"
)]
#[case::text_in_an_object(r#"[{"type":"text","text":{"value":"v"}}]"#, "v")]
#[case::object(r#"{"type":"text","text":"o"}"#, "o")]
#[case::number("42", "42")]
#[case::null("null", "")]
fn content_is_read_in_each_of_its_forms(#[case] content: &str, #[case] expected: &str) {
    let delta = format!(r#"{{"content":{content}}}"#);
    assert_eq!(text(&[&chunk(&delta, "\"stop\""), "[DONE]"]), expected);
}

#[test]
fn control_bytes_and_halves_of_characters_are_text() {
    let first = chunk("{\"content\":\"a\u{1}\u{9}\\ud83d\"}", "null");
    let second = chunk(r#"{"content":"\ude80b"}"#, "\"stop\"");
    assert_eq!(text(&[&first, &second]), "a\u{1}\u{9}🚀b");
}

#[test]
fn a_line_may_be_as_long_as_an_answer() {
    let long = "x".repeat(3 << 20);
    let delta = chunk(&format!(r#"{{"content":"{long}"}}"#), "\"stop\"");
    let stream = format!("data: {delta}\n\n");
    let mut reader = crate::providers::answer::Reader::new(&OpenAi);
    let mut said = String::new();
    for chunk in stream.as_bytes().chunks(16 << 10) {
        said.push_str(&reader.push(chunk).unwrap());
    }
    assert_eq!(said.len(), long.len());
}

#[rstest]
#[case::event("data: ", "\n\n")]
#[case::document("", "")]
fn an_answer_has_a_bound(#[case] before: &str, #[case] after: &str) {
    let mut reader = crate::providers::answer::Reader::new(&OpenAi);
    reader.push(before.as_bytes()).unwrap();
    let chunk = vec![b'{'; 1 << 20];
    let outcome = (0..17).try_for_each(|_| reader.push(&chunk).map(drop));
    assert!(matches!(outcome, Err(ModelError::TooLarge(_))), "{after}");
}

#[test]
fn a_whole_completion_is_an_answer() {
    let completion = r#" {"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi",
        "tool_calls":[{"id":"a","type":"function","function":{"name":"t","arguments":"{\"x\":1}"}}]},"finish_reason":"tool_calls"}],
        "usage":{"prompt_tokens":9,"completion_tokens":2}} "#;
    let answer = body(completion).unwrap();
    assert_eq!((answer.text.as_str(), answer.calls.len()), ("hi", 1));
    assert_eq!(answer.usage.input, Some(9));
    let cut = completion.replace("\"tool_calls\"}],", "\"length\"}],");
    assert_eq!(body(&cut).unwrap().calls, []);
    let silent = completion.replace("\"finish_reason\":\"tool_calls\"", "\"finish_reason\":null");
    assert_eq!(body(&silent).unwrap().calls.len(), 1);
    let half = &completion[..completion.len() / 2];
    assert_eq!(body(half), Err(ModelError::Cut));
}

#[test]
fn the_older_form_of_a_call_is_read_and_its_copy_beside_the_newer_is_not() {
    let parts = [
        chunk(r#"{"function_call":{"name":"t","arguments":"{\"x\""}}"#, "null"),
        chunk(r#"{"function_call":{"arguments":":1}"}}"#, "\"function_call\""),
    ];
    let answer = read(&[&parts[0], &parts[1]]).unwrap();
    assert_eq!(answer.calls[0].arguments, r#"{"x":1}"#);
    let both = r#"{"function_call":{"name":"t","arguments":"{}"},"tool_calls":[{"index":0,"id":"a","function":{"name":"t","arguments":"{}"}}]}"#;
    assert_eq!(read(&[&chunk(both, "\"tool_calls\"")]).unwrap().calls.len(), 1);
}

#[test]
fn a_message_that_is_repeated_at_the_end_is_said_once() {
    let repeated = r#"{"choices":[{"index":0,"message":{"content":"ab"},"finish_reason":"stop"}]}"#;
    let events = [
        chunk(r#"{"content":"a"}"#, "null"),
        chunk(r#"{"content":"b"}"#, "null"),
    ];
    assert_eq!(text(&[&events[0], &events[1], repeated, "[DONE]"]), "ab");
}

#[test]
fn another_choice_is_left_out() {
    let other = r#"{"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"},"finish_reason":"stop"}]}"#;
    assert_eq!(text(&[other]), "yes");
}

/// Another choice is another answer: what it calls nobody asked for, and asking again would bring the same.
#[rstest]
#[case::silent(r#"{"index":0,"delta":{"content":null},"finish_reason":"tool_calls"}"#)]
#[case::with_text(r#"{"index":0,"delta":{"content":"I look."},"finish_reason":"tool_calls"}"#)]
#[case::as_if_done(r#"{"index":0,"delta":{"content":"I look."},"finish_reason":"stop"}"#)]
#[case::whole(r#"{"index":0,"message":{"role":"assistant","content":"I look."},"finish_reason":"stop"}"#)]
fn calls_that_stand_in_another_choice_are_not_made_and_not_asked_for_again(#[case] first: &str) {
    let second = r#"{"index":1,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"t","arguments":"{}"}}]},"finish_reason":"tool_calls"}"#;
    for second in [second.to_owned(), second.replace("delta", "message")] {
        let together = format!(r#"{{"object":"chat.completion","choices":[{first},{second}]}}"#);
        let apart = [first, &second].map(|choice| format!(r#"{{"choices":[{choice}]}}"#));
        for outcome in [
            read(&[&together, "[DONE]"]),
            read(&[&apart[0], &apart[1], "[DONE]"]),
            read(&[&apart[1], &apart[0], "[DONE]"]),
            body(&together),
        ] {
            let Err(error @ ModelError::Unreadable(_)) = outcome else {
                panic!("{outcome:?}")
            };
            assert!(
                !error.is_transient() && error.to_string().contains("another choice"),
                "{error}"
            );
        }
    }
}

#[test]
fn the_calls_of_the_first_choice_are_made_whatever_another_calls() {
    let other = chunk(
        r#"{"tool_calls":[{"index":0,"id":"b","function":{"name":"u","arguments":"{}"}}]}"#,
        "\"tool_calls\"",
    );
    let other = other.replace("\"choices\":[{\"index\":0", "\"choices\":[{\"index\":1");
    let answer = read(&[&chunk(CALL, "\"tool_calls\""), &other, "[DONE]"]).unwrap();
    assert_eq!(answer.calls.len(), 1);
    assert_eq!(answer.calls[0].name, "t");
}

#[test]
fn choices_without_a_number_are_parts_of_one_answer() {
    let text = r#"{"message":{"content":"I look."},"finish_reason":"tool_calls"}"#;
    let calls = r#"{"message":{"tool_calls":[{"id":"a","function":{"name":"t","arguments":"{}"}}]},"finish_reason":"tool_calls"}"#;
    let answer = body(&format!(
        r#"{{"object":"chat.completion","choices":[{text},{calls}]}}"#
    ))
    .unwrap();
    assert_eq!((answer.text.as_str(), answer.calls.len()), ("I look.", 1));
}

#[rstest]
#[case::words("upstream connect error", ErrorClass::Failed, "upstream connect error")]
#[case::words_as_event(
    "data: error: rate limit exceeded\n\n",
    ErrorClass::RateLimited,
    "rate limit exceeded"
)]
#[case::words_as_named_event(
    "event: error\ndata: {\"message\":\"overloaded\"}\n\n",
    ErrorClass::Overloaded,
    "overloaded"
)]
#[case::bare("data: {\"object\":\"error\"}\n\n", ErrorClass::Failed, "does not say why")]
#[case::json_in_place_of_an_answer(
    r#"{"error":{"message":"Invalid API key","type":"authentication_error"}}"#,
    ErrorClass::Unauthorised,
    "Invalid API key"
)]
#[case::pretty_json(
    "{\n  \"detail\": \"model not found\"\n}\n",
    ErrorClass::UnknownModel,
    "model not found"
)]
#[case::pretty_json_behind_events(
    ": ping\n\n{\n  \"error\": \"no such model\"\n}\n",
    ErrorClass::UnknownModel,
    "no such model"
)]
#[case::page(
    "<html><head><title>Log in</title></head></html>",
    ErrorClass::Invalid,
    "Log in"
)]
fn an_error_in_place_of_an_answer_is_told(
    #[case] text: &str,
    #[case] class: ErrorClass,
    #[case] words: &str,
) {
    match body(text) {
        Err(ModelError::Provider(error)) => {
            assert_eq!(error.class, class, "{error:?}");
            assert!(error.message.contains(words), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::other_json(r#"{"hello":"world"}"#)]
#[case::zstandard("\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}")]
#[case::no_json("data: {nonsense}\n\n")]
fn what_is_no_answer_is_unreadable_and_not_asked_again(#[case] text: &str) {
    let error = body(text).unwrap_err();
    assert!(matches!(error, ModelError::Unreadable(_)), "{error:?}");
    assert!(!error.is_transient());
}

#[rstest]
#[case("data: {\"choices\":[{\"delta\":{\"con")]
#[case("dat")]
#[case("")]
fn a_stream_that_ends_in_the_middle_of_a_line_broke_off(#[case] tail: &str) {
    let stream = format!("data: {}\n\n{tail}", chunk(r#"{"content":"half"}"#, "null"));
    assert_eq!(body(&stream), Err(ModelError::Cut));
}

#[test]
fn what_a_provider_wants_back_is_kept_as_it_came() {
    let answer = read(&[
        &chunk(r#"{"reasoning_content":"I "}"#, "null"),
        &chunk(r#"{"reasoning_content":"think"}"#, "null"),
        &chunk(
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"t","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]}"#,
            "\"tool_calls\"",
        ),
        "[DONE]",
    ])
    .unwrap();
    assert_eq!(answer.text, "");
    assert_eq!(answer.state.message["reasoning_content"], "I think");
    assert_eq!(
        answer.state.calls[&0]["extra_content"]["google"]["thought_signature"],
        "s"
    );
}

proptest::proptest! {
    /// Whatever a server sends is read or refused, and nothing of it ends the process.
    #[test]
    fn garbage_is_refused_without_a_panic(events in proptest::collection::vec(".{0,60}", 0..4), cut in 0_usize..200) {
        let whole = SAMPLE.get(..cut.min(SAMPLE.len())).unwrap_or(SAMPLE);
        let mut events: Vec<&str> = events.iter().map(String::as_str).collect();
        events.push(whole);
        drop(read(&events));
        drop(body(&events.concat()));
    }
}
