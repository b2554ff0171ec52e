//! From a message over model, Guardian and runner to an answer.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use http::HeaderValue;
use monstrum_guardian::source::{Counted, Quota};
use monstrum_wire::policy::{Dialect, Header};
use monstrum_wire::runner::FailureKind;
use rstest::rstest;
use tokio::sync::Notify;

use crate::support::model::Reply;
use crate::support::policies::{Held, TOKEN};
use crate::support::runner::{Act, says};
use crate::support::world::{MODEL_KEY, World, until};

#[tokio::test]
async fn a_message_is_answered_after_a_permitted_call() {
    let world = World::start().await;
    world.model.script([
        Reply::call("list_issues", r#"{"owner":"acme","repo":"web","state":"open"}"#),
        Reply::text("There are two open issues."),
    ]);
    world.runner.script([says("#1 broken, #2 slow")]);

    let turn = world.say("what is open?").await;

    assert_eq!(turn.done().text, "There are two open issues.");
    assert_eq!(turn.done().stop, "completed");
    assert_eq!(turn.text(), "There are two open issues.");
    let executed = world.runner.executed();
    assert_eq!(executed.len(), 1);
    assert_eq!(executed[0].tool, "list_issues");
    assert_eq!(
        executed[0].arguments_json,
        r#"{"owner":"acme","repo":"web","state":"open"}"#
    );
    assert_eq!(executed[0].credential[0].value, TOKEN.as_bytes());
    assert_eq!(turn.results()[0].content, "#1 broken, #2 slow");

    let usage = turn.done().usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens),
        (200, 80, 20)
    );
    // 120 uncached at 3, 80 cached at 0.3, 20 output at 15 dollars a million.
    assert_eq!((usage.cost_micro_usd, usage.model_requests), (360 + 24 + 300, 2));

    let kinds: Vec<String> = world
        .ledger
        .state
        .lock()
        .unwrap()
        .records
        .iter()
        .map(|r| r.kind.clone())
        .collect();
    assert_eq!(
        kinds,
        [
            "policy.enforced",
            "turn.started",
            "call.started",
            "call.finished",
            "turn.finished"
        ]
    );
    let started = &world.ledger.records("call.started")[0];
    assert_eq!(
        (started.verdict.as_str(), started.grant.as_str()),
        ("allow", "binding/github-0#0")
    );
    assert_eq!(
        started.trace_id,
        world.ledger.records("turn.finished")[0].trace_id
    );
    assert_eq!(world.ledger.outcomes(), [Some("ok".to_owned())]);

    let everything = world.model.everything();
    for secret in [TOKEN, MODEL_KEY, "delete_repository", "repo.delete"] {
        assert!(
            !everything.contains(secret),
            "{secret} is in a request to the model"
        );
    }
    assert_eq!(
        world.model.seen()[0].headers["authorization"],
        format!("Bearer {MODEL_KEY}")
    );
    assert_eq!(world.model.seen()[0].tools(), ["create_issue", "list_issues"]);
}

#[tokio::test]
async fn both_dialects_carry_tools_calls_and_usage() {
    let world = World::start().await;
    let mut settings = world.settings();
    let model = settings.model.as_mut().unwrap();
    model.dialect = Dialect::Anthropic.into();
    model.headers = vec![Header {
        name: "x-team".to_owned(),
        value: "sre".to_owned(),
    }];
    world.enforce_with(&[Held::default()], settings, 60).await;
    world.model.script([
        Reply {
            text: "Let me look. ".to_owned(),
            ..Reply::call("list_issues", r#"{"owner":"acme","repo":"web"}"#)
        },
        Reply::text("None."),
    ]);

    let turn = world.say("what is open?").await;

    assert_eq!(turn.done().text, "None.");
    assert_eq!(turn.text(), "Let me look. None.");
    let usage = turn.done().usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens),
        (200, 80, 20)
    );
    let seen = world.model.seen();
    assert_eq!(seen[0].path, "/v1/messages");
    assert_eq!(
        (&seen[0].headers["x-api-key"], &seen[0].headers["x-team"]),
        (
            &HeaderValue::from_static(MODEL_KEY),
            &HeaderValue::from_static("sre")
        )
    );
    let second = seen[1].json();
    assert_eq!(second["messages"][1]["content"][1]["type"], "tool_use");
    assert_eq!(second["messages"][2]["content"][0]["tool_use_id"], "call_1");
}

#[tokio::test]
async fn forbidden_and_unknown_tools_are_answered_alike_and_nothing_is_sent() {
    let world = World::start().await;
    world.model.script([
        Reply::calls(&[
            ("a", "delete_repository", r#"{"owner":"acme","repo":"web"}"#),
            ("b", "no_such_tool", r#"{"owner":"acme","repo":"web"}"#),
            ("c", "list_issues", r#"{"owner":"other","repo":"web"}"#),
        ]),
        Reply::text("I may not."),
    ]);

    let turn = world.say("delete it").await;

    assert_eq!(turn.done().stop, "completed");
    let results = turn.results();
    assert!(
        results
            .iter()
            .all(|result| result.content == "This call was refused." && !result.ok),
        "{results:?}"
    );
    let reasons: Vec<_> = turn
        .decisions()
        .into_iter()
        .map(|decision| decision.reason)
        .collect();
    assert_eq!(reasons, ["UnknownTool", "UnknownTool", "OutOfScope"]);
    assert_eq!(world.runner.executed(), []);
    assert_eq!(world.ledger.records("call.started"), []);
    let records = world.ledger.records("decision");
    assert_eq!(
        records.iter().filter(|record| record.verdict == "deny").count(),
        3
    );
    // The model hears nothing of grants, reasons or tools it may not see.
    let everything = world.model.everything();
    for word in ["OutOfScope", "UnknownTool", "binding/github", "acme/*"] {
        assert!(!everything.contains(word), "{word}");
    }
}

#[rstest]
#[case::missing(r#"{"owner":"acme"}"#)]
#[case::null(r#"{"owner":"acme","repo":null}"#)]
#[case::array(r#"{"owner":"acme","repo":["web"]}"#)]
#[case::object(r#"{"owner":"acme","repo":{"name":"web"}}"#)]
#[case::number(r#"{"owner":"acme","repo":7}"#)]
#[case::extra(r#"{"owner":"acme","repo":"web","admin":true}"#)]
#[case::duplicate(r#"{"owner":"acme","owner":"evil","repo":"web"}"#)]
#[case::duplicate_by_escape(r#"{"owner":"acme","\u006fwner":"evil","repo":"web"}"#)]
#[case::trailing(r#"{"owner":"acme","repo":"web"} {"owner":"evil"}"#)]
#[case::no_object(r#"["acme","web"]"#)]
#[case::no_json("acme/web")]
#[case::cut_off(r#"{"owner":"acme","re"#)]
#[case::empty("")]
#[case::separator_in_a_part(r#"{"owner":"acme/x","repo":"web"}"#)]
#[case::climbing(r#"{"owner":"acme","repo":"../evil"}"#)]
#[tokio::test]
async fn bad_arguments_are_denied_recorded_and_never_sent(#[case] arguments: &str) {
    let world = World::start().await;
    world
        .model
        .script([Reply::call("list_issues", arguments), Reply::text("Sorry.")]);

    let turn = world.say("list").await;

    assert_eq!(turn.done().text, "Sorry.");
    assert!(!turn.decisions()[0].allowed);
    assert_eq!(world.runner.executed(), []);
    let record = &world.ledger.records("decision")[0];
    assert_eq!(
        (record.verdict.as_str(), record.tool.as_str()),
        ("deny", "list_issues")
    );
    assert!(turn.results()[0].content.starts_with("This call was refused."));
}

#[tokio::test]
async fn calls_with_empty_or_doubled_ids_are_made_and_get_ids_of_their_own() {
    let world = World::start().await;
    let good = r#"{"owner":"acme","repo":"web"}"#;
    world.model.script([
        Reply::calls(&[
            ("", "list_issues", good),
            ("x", "list_issues", good),
            ("x", "list_issues", good),
            ("y", "", good),
        ]),
        Reply::text("Done."),
    ]);

    let turn = world.say("list").await;

    assert_eq!(turn.done().text, "Done.");
    let allowed: Vec<bool> = turn.decisions().iter().map(|decision| decision.allowed).collect();
    assert_eq!(
        allowed,
        [true, true, true, false],
        "only the tool without a name is none"
    );
    assert_eq!(world.runner.executed().len(), 3);
    // The ids in the next request are all there and all different.
    let messages = world.model.seen()[1].json();
    let messages = messages["messages"].as_array().unwrap();
    let ids: std::collections::BTreeSet<_> = messages
        .iter()
        .filter(|message| message["role"] == "tool")
        .map(|message| message["tool_call_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 4);
    assert!(!ids.contains("\"\""));
}

#[tokio::test]
async fn parallel_calls_run_side_by_side_within_their_bound() {
    let world = World::start().await;
    world
        .enforce_with(
            &[Held::default()],
            world.with_limits(|limits| limits.max_parallel_calls = 2),
            60,
        )
        .await;
    let arguments = r#"{"owner":"acme","repo":"web"}"#;
    let gates: Vec<_> = (0..3).map(|_| Arc::new(Notify::new())).collect();
    world
        .runner
        .script(gates.iter().map(|gate| Act::Wait(gate.clone(), b"x".to_vec())));
    world.model.script([
        Reply::calls(&[
            ("a", "list_issues", arguments),
            ("b", "list_issues", arguments),
            ("c", "list_issues", arguments),
        ]),
        Reply::text("Done."),
    ]);
    let sending = world.say("list");
    let checking = async {
        until(|| world.runner.executed().len() == 2).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(world.runner.executed().len(), 2, "a third call runs beside two");
        gates[0].notify_one();
        until(|| world.runner.executed().len() == 3).await;
        gates[1].notify_one();
        gates[2].notify_one();
    };
    let (turn, ()) = tokio::join!(sending, checking);
    assert_eq!(turn.results().len(), 3);
    assert_eq!(turn.done().text, "Done.");
}

#[tokio::test]
async fn secrets_in_results_are_masked_also_when_split_or_encoded() {
    let world = World::start().await;
    let base64 = base64::engine::general_purpose::STANDARD.encode(format!("user:{TOKEN}"));
    let text = format!("env: TOKEN={TOKEN} basic {base64} hex {} end", hex::encode(TOKEN));
    let pieces: Vec<Vec<u8>> = text.as_bytes().chunks(3).map(<[u8]>::to_vec).collect();
    world.runner.script([
        Act::Answer(pieces),
        Act::Fail(FailureKind::Upstream, format!("bad token {TOKEN}")),
    ]);
    let arguments = r#"{"owner":"acme","repo":"web"}"#;
    let echo = format!(r#"{{"owner":"acme","repo":"web","state":"{TOKEN}"}}"#);
    world.model.script([
        Reply::call("list_issues", arguments),
        Reply::call("list_issues", &echo),
        Reply::text("ok"),
    ]);

    let turn = world.say("show the environment").await;

    assert_eq!(turn.done().text, "ok");
    let told = format!("{:?}", turn.events);
    let kept = {
        let state = world.ledger.state.lock().unwrap();
        format!(
            "{:?} {:?}",
            state.records,
            state
                .sessions
                .values()
                .map(|row| row.messages.clone())
                .collect::<Vec<_>>()
        )
    };
    for (place, text) in [
        ("model", world.model.everything()),
        ("chat", told),
        ("ledger", kept),
    ] {
        for form in [
            TOKEN.to_owned(),
            base64.clone(),
            hex::encode(TOKEN),
            MODEL_KEY.to_owned(),
        ] {
            assert!(!text.contains(&form), "{form} reached the {place}");
        }
    }
    assert!(turn.results()[0].content.contains("[secret]"));
    assert!(turn.results()[1].content.contains("bad token [secret]"));
}

#[tokio::test]
async fn a_call_that_tells_the_model_providers_key_is_not_made() {
    let world = World::start().await;
    let base64 = base64::engine::general_purpose::STANDARD.encode(format!("Bearer {MODEL_KEY}"));
    let escaped: String = MODEL_KEY.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let forms = [MODEL_KEY.to_owned(), base64, escaped];
    let calls = forms.clone().map(|form| {
        let arguments = format!(r#"{{"owner":"acme","repo":"web","state":"{form}"}}"#);
        Reply::call("list_issues", &arguments)
    });
    world.model.script(calls.into_iter().chain([Reply::text("ok")]));

    let turn = world.say("list").await;

    assert_eq!(turn.done().text, "ok");
    assert!(world.runner.executed().is_empty());
    let records = world.ledger.records("decision");
    assert_eq!(records.len(), forms.len());
    let told = format!("{records:?} {:?} {}", turn.events, world.model.everything());
    for form in &forms {
        assert!(!told.contains(form), "{told}");
    }
}

#[tokio::test]
async fn half_a_secret_of_a_runner_that_went_away_is_not_shown() {
    let world = World::start().await;
    let half = &TOKEN[..TOKEN.len() - 1];
    world
        .runner
        .script([Act::DieAfter(format!("TOKEN={half}").into_bytes())]);
    world.model.script([
        Reply::call("create_issue", r#"{"owner":"acme","repo":"web","title":"x"}"#),
        Reply::text("ok"),
    ]);
    let turn = world.say("create").await;
    let told = &turn.results()[0].content;
    assert!(told.starts_with("TOKEN=\nThe runner went away"), "{told}");
    for text in [world.model.everything(), format!("{:?}", turn.events)] {
        assert!(!text.contains(&TOKEN[..5]), "{text}");
    }
}

#[tokio::test]
async fn facts_and_messages_of_a_runner_are_scrubbed() {
    let world = World::start().await;
    let escaped: String = TOKEN
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    world.runner.script([
        Act::Told(format!(r#"{{"address": "{escaped}", "{TOKEN}": 1}}"#)),
        Act::Fail(FailureKind::Upstream, format!("no such place: {escaped}")),
    ]);
    let arguments = r#"{"owner":"acme","repo":"web"}"#;
    world.model.script([
        Reply::call("list_issues", arguments),
        Reply::call("list_issues", arguments),
        Reply::text("ok"),
    ]);
    let turn = world.say("list").await;
    assert!(turn.results()[1].content.contains("no such place: [secret]"));
    let record = &world.ledger.records("call.finished")[0];
    let detail: serde_json::Value = serde_json::from_str(&record.detail_json).unwrap();
    assert_eq!(
        detail["facts"],
        serde_json::json!({ "address": "[secret]", "[secret]": 1 })
    );
}

#[tokio::test]
async fn a_secret_in_a_denied_call_is_not_told() {
    let world = World::start().await;
    // A message quotes the beginning of what is wrong.
    let long = format!("{}{TOKEN}", "x".repeat(190));
    let wrong = format!(r#"{{"owner":"acme","repo":"web","state":["{long}"]}}"#);
    world.model.script([
        Reply::calls(&[
            ("a", "list_issues", &wrong),
            ("b", TOKEN, "{}"),
            (TOKEN, "list_issues", "[]"),
        ]),
        Reply::text("ok"),
    ]);
    let turn = world.say("list").await;
    let records = format!("{:?}", world.ledger.records("decision"));
    for text in [world.model.everything(), format!("{:?}", turn.events), records] {
        assert!(!text.contains(&TOKEN[..8]), "{text}");
    }
}

#[tokio::test]
async fn results_are_bounded() {
    let world = World::start().await;
    world
        .runner
        .script([Act::Answer(vec![vec![b'x'; 1500], vec![b'y'; 1500]])]);
    world.model.script([
        Reply::call("list_issues", r#"{"owner":"acme","repo":"web"}"#),
        Reply::text("ok"),
    ]);
    let turn = world.say("list").await;
    let result = &turn.results()[0];
    assert!(result.truncated);
    assert!(result.content.len() < 2100, "{}", result.content.len());
    assert!(result.content.ends_with("[the rest was cut off]"));
}

#[tokio::test]
async fn a_runaway_result_is_cancelled() {
    let world = World::start().await;
    world.runner.script([Act::Answer(vec![vec![0; 1 << 20]; 4])]);
    world.model.script([
        Reply::call("list_issues", r#"{"owner":"acme","repo":"web"}"#),
        Reply::text("ok"),
    ]);
    let turn = world.say("list").await;
    assert_eq!(turn.done().text, "ok");
    assert_eq!(world.runner.cancelled.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_call_without_runner_is_a_clear_tool_error() {
    let world = World::start().await;
    world.runner_task.abort();
    world.model.script([
        Reply::call("list_issues", r#"{"owner":"acme","repo":"web"}"#),
        Reply::text("ok"),
    ]);
    let turn = world.say("list").await;
    assert!(
        turn.results()[0]
            .content
            .contains("no runner \"default\" is connected"),
        "{:?}",
        turn.results()
    );
    assert_eq!(world.ledger.outcomes(), [Some("error".to_owned())]);
}

#[tokio::test]
async fn an_unopened_credential_denies() {
    let world = World::bare().await;
    world.operator.secrets.lock().unwrap().remove("binding/github-0");
    world.enforce(&[Held::default()]).await;
    world.model.script([
        Reply::call("list_issues", r#"{"owner":"acme","repo":"web"}"#),
        Reply::text("ok"),
    ]);
    let turn = world.say("list").await;
    assert_eq!(turn.decisions()[0].reason, "Internal");
    assert_eq!(turn.results()[0].content, "This call was refused.");
    assert_eq!(world.runner.executed(), []);
    assert_eq!(world.ledger.records("call.started"), []);
}

#[tokio::test]
async fn a_quota_of_one_lets_one_of_many_parallel_calls_through() {
    let world = World::start().await;
    let quota = Quota {
        name: "few".to_owned(),
        counts: Counted::Calls,
        limit: 1,
        window_seconds: Some(3600),
    };
    world
        .enforce(&[Held {
            quotas: vec![quota],
            ..Held::default()
        }])
        .await;
    let arguments = r#"{"owner":"acme","repo":"web"}"#;
    let calls: Vec<_> = ["a", "b", "c", "d"]
        .iter()
        .map(|id| (*id, "list_issues", arguments))
        .collect();
    world.model.script([Reply::calls(&calls), Reply::text("ok")]);
    let turn = world.say("list").await;
    let allowed = turn
        .decisions()
        .iter()
        .filter(|decision| decision.allowed)
        .count();
    assert_eq!(allowed, 1, "{:?}", turn.decisions());
    assert_eq!(world.runner.executed().len(), 1);
    assert!(
        turn.decisions()
            .iter()
            .filter(|decision| !decision.allowed)
            .all(|denied| denied.reason == "QuotaExceeded")
    );
}
