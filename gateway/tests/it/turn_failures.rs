//! Deaths, queues, bounds, and models that misbehave.

use std::sync::Arc;
use std::time::{Duration, Instant};

use monstrum_wire::chat::SendRequest;
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::chat::turn_event::Event;
use rstest::rstest;
use tokio::sync::Notify;

use crate::support::model::Reply;
use crate::support::policies::{Held, TOKEN};
use crate::support::runner::{Act, says};
use crate::support::world::{Turn, World, collect, request, until};

const GOOD: &str = r#"{"owner":"acme","repo":"web"}"#;
const CREATE: &str = r#"{"owner":"acme","repo":"web","title":"x"}"#;

#[tokio::test]
async fn a_runners_death_in_mid_call_is_unknown_and_not_repeated() {
    let world = World::start().await;
    world.runner.script([Act::Die]);
    world.model.script([
        Reply::call("create_issue", CREATE),
        Reply::text("I don't know whether it worked."),
    ]);
    let turn = world.say("create").await;
    assert_eq!(turn.done().stop, "completed");
    assert!(
        turn.results()[0]
            .content
            .contains("It is not known whether the call took effect")
    );
    assert_eq!(world.runner.executed().len(), 1);
    assert_eq!(world.ledger.outcomes(), [Some("unknown".to_owned())]);
}

#[tokio::test]
async fn an_idempotent_call_is_run_again_after_a_runners_death() {
    let world = World::start().await;
    world.runner.script([Act::Die, says("#1")]);
    world
        .model
        .script([Reply::call("list_issues", GOOD), Reply::text("One.")]);
    let turn = world.say("list").await;
    assert_eq!(turn.results()[0].content, "#1");
    assert_eq!(
        world.ledger.outcomes(),
        [Some("unknown".to_owned()), Some("ok".to_owned())]
    );
}

#[tokio::test]
async fn a_message_waits_for_the_one_before_and_too_many_are_refused() {
    let world = World::start().await;
    let gate = Arc::new(Notify::new());
    world.model.script([
        Reply::text("zero"),
        Reply {
            gate: Some(gate.clone()),
            ..Reply::text("first")
        },
        Reply::text("second"),
    ]);
    let session = world.say("begin").await.session();
    let checking = async {
        until(|| world.model.seen().len() == 2).await;
        let second = tokio::spawn(collect(world.local, request(&session, "b")));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let third = world.send(request(&session, "c")).await;
        assert_eq!(third.failed().code, "QueueFull");
        // Another conversation is not held up, though its model has nothing to say.
        gate.notify_one();
        Turn {
            events: second.await.unwrap(),
        }
    };
    let (first, second) = tokio::join!(world.send(request(&session, "a")), checking);
    assert_eq!(first.done().text, "first");
    assert_eq!(second.done().text, "second");
    assert!(
        second
            .events
            .iter()
            .any(|event| event.event == Some(Event::Queued(1)))
    );
    let last = world.model.seen().last().unwrap().json();
    assert_eq!(last["messages"].as_array().unwrap().len(), 6, "{last}");
}

#[tokio::test]
async fn the_same_message_is_run_once() {
    let world = World::start().await;
    world
        .model
        .script([Reply::call("create_issue", CREATE), Reply::text("created")]);
    let message = SendRequest {
        message_id: "m1".to_owned(),
        ..request("", "create")
    };
    let first = world.send(message.clone()).await;
    assert_eq!(first.done().text, "created");
    let again = world.send(message).await;
    assert_eq!(
        (again.done().text.as_str(), again.done().stop.as_str()),
        ("created", "duplicate")
    );
    assert_eq!(again.session(), first.session());
    assert_eq!(world.runner.executed().len(), 1);
}

#[tokio::test]
async fn a_message_older_than_what_is_read_is_not_run_again() {
    let world = World::start().await;
    world.model.script([Reply::text("created")]);
    let message = SendRequest {
        message_id: "m1".to_owned(),
        ..request("", "create")
    };
    let session = world.send(message.clone()).await.session();
    world.ledger.forget(&session);
    let records = world.ledger.state.lock().unwrap().records.len();

    let again = world.send(message).await;

    assert_eq!(again.failed().code, "Duplicate");
    assert_eq!(world.model.seen().len(), 1);
    assert_eq!(world.ledger.state.lock().unwrap().records.len(), records);
    // The conversation is free: the next message is answered.
    world.model.script([Reply::text("here")]);
    assert_eq!(world.send(request(&session, "go on")).await.done().text, "here");
}

#[tokio::test]
async fn a_turn_whose_end_was_not_kept_counts_as_cut_off() {
    let world = World::start().await;
    let gate = Arc::new(Notify::new());
    world.model.script([
        Reply {
            gate: Some(gate.clone()),
            ..Reply::text("lost")
        },
        Reply::text("here"),
    ]);
    let outage = async {
        until(|| world.model.seen().len() == 1).await;
        world.ledger.set_down(true);
        gate.notify_one();
    };
    let (turn, ()) = tokio::join!(world.say("begin"), outage);
    assert_eq!(turn.failed().code, "LedgerUnavailable");
    world.ledger.set_down(false);
    let session = turn.session();
    assert!(
        world.ledger.is_held(&session),
        "whoever comes next has to learn of it"
    );

    assert_eq!(world.send(request(&session, "go on")).await.done().text, "here");
    assert!(!world.ledger.is_held(&session));
    assert_eq!(world.ledger.records("turn.started").len(), 2);
    assert_eq!(world.ledger.records("turn.finished").len(), 1);
}

#[tokio::test]
async fn another_replica_takes_a_turn_up_where_its_gateway_died() {
    let world = World::start().await;
    world.runner.script([says("#1"), Act::Hang]);
    world.model.script([
        Reply::call("list_issues", GOOD),
        Reply::call("create_issue", CREATE),
        Reply::text("I don't know whether it was created."),
    ]);
    let message = SendRequest {
        message_id: "m1".to_owned(),
        ..request("", "create one")
    };
    let dying = tokio::spawn(collect(world.local, message.clone()));
    until(|| world.runner.executed().len() == 2).await;
    let session = world
        .ledger
        .state
        .lock()
        .unwrap()
        .sessions
        .keys()
        .next()
        .unwrap()
        .clone();
    let (_other, address) = world.replica().await;
    // The dead gateway's hold has run out, and it writes nothing any more.
    until(|| world.operator.acks.borrow().len() >= 2).await;
    world.ledger.expire(&session);

    let resumed = Turn {
        events: collect(address, message).await,
    };

    assert!(
        resumed
            .done()
            .text
            .contains("not known whether these calls took effect: create_issue"),
        "{resumed:?}"
    );
    assert!(
        resumed
            .done()
            .text
            .ends_with("I don't know whether it was created.")
    );
    assert_eq!(world.runner.executed().len(), 2, "no effect happens twice");
    assert_eq!(
        world.ledger.outcomes(),
        [Some("ok".to_owned()), Some("unknown".to_owned())]
    );
    drop(dying);
}

/// A turn whose gateway dies while it runs `arguments`, taken up by another replica.
async fn taken_up(world: &World, arguments: &str) -> Turn {
    world.runner.script([Act::Hang, says("#1")]);
    world
        .model
        .script([Reply::call("list_issues", arguments), Reply::text("So it is.")]);
    let message = SendRequest {
        message_id: "m1".to_owned(),
        ..request("", "list")
    };
    let dying = tokio::spawn(collect(world.local, message.clone()));
    until(|| world.runner.executed().len() == 1).await;
    let session = world.ledger.state.lock().unwrap().sessions.keys().next().cloned();
    let (_other, address) = world.replica().await;
    until(|| world.operator.acks.borrow().len() >= 2).await;
    world.ledger.expire(&session.unwrap());
    let resumed = Turn {
        events: collect(address, message).await,
    };
    dying.abort();
    resumed
}

#[tokio::test]
async fn an_idempotent_call_that_was_cut_off_is_run_again_as_it_was_permitted() {
    let world = World::start().await;
    let resumed = taken_up(&world, GOOD).await;
    assert_eq!(resumed.results()[0].content, "#1");
    let executed = world.runner.executed();
    assert_eq!(executed.len(), 2);
    assert_eq!(executed[0].arguments_json, executed[1].arguments_json);
}

#[tokio::test]
async fn a_call_whose_arguments_were_masked_is_not_run_again() {
    let world = World::start().await;
    let arguments = format!(r#"{{"owner":"acme","repo":"web","state":"{TOKEN}"}}"#);
    let resumed = taken_up(&world, &arguments).await;
    assert!(
        resumed
            .done()
            .text
            .contains("not known whether these calls took effect: list_issues"),
        "{resumed:?}"
    );
    let executed = world.runner.executed();
    assert_eq!(executed.len(), 1, "another call was made: {executed:?}");
    assert!(executed[0].arguments_json.contains(TOKEN));
}

#[tokio::test]
async fn a_turn_has_a_last_step() {
    let world = World::start().await;
    world
        .enforce_with(
            &[Held::default()],
            world.with_limits(|limits| limits.max_steps = 2),
            60,
        )
        .await;
    world.model.script([
        Reply::call("list_issues", GOOD),
        Reply::call("list_issues", GOOD),
        Reply::text("more"),
    ]);
    let turn = world.say("list").await;
    assert_eq!(turn.done().stop, "max_steps");
    assert!(turn.done().text.contains("one turn may ask the model 2 times"));
    assert_eq!(
        world.runner.executed().len(),
        1,
        "a call whose result nobody sees is not made"
    );
    let next = world.send(request(&turn.session(), "go on")).await;
    assert_eq!(next.done().text, "more");
}

#[tokio::test]
async fn a_turn_has_a_token_bound() {
    let world = World::start().await;
    world
        .enforce_with(
            &[Held::default()],
            world.with_limits(|limits| limits.max_turn_tokens = 150),
            60,
        )
        .await;
    world
        .model
        .script([Reply::call("list_issues", GOOD), Reply::call("list_issues", GOOD)]);
    let turn = world.say("list").await;
    assert_eq!(turn.done().stop, "max_turn_tokens");
    assert_eq!(world.model.seen().len(), 2);
}

#[tokio::test]
async fn a_turn_has_a_time_bound_and_cancels_what_runs() {
    let world = World::start().await;
    world
        .enforce_with(
            &[Held::default()],
            world.with_limits(|limits| limits.max_turn_seconds = 1),
            60,
        )
        .await;
    world.runner.script([Act::Hang]);
    world
        .model
        .script([Reply::call("create_issue", CREATE), Reply::text("on we go")]);
    let began = Instant::now();
    let turn = world.say("create").await;
    assert_eq!(turn.failed().code, "TurnTimeout");
    assert!(began.elapsed() < Duration::from_secs(6));
    assert_eq!(world.runner.cancelled.lock().unwrap().len(), 1);
    assert_eq!(world.ledger.records("turn.finished")[0].reason, "TurnTimeout");
    let next = world.send(request(&turn.session(), "go on")).await;
    assert_eq!(next.done().text, "on we go", "nothing of the session is lost");
}

#[tokio::test]
async fn a_sender_who_leaves_ends_the_turn() {
    let world = World::start().await;
    world.runner.script([Act::Hang]);
    world.model.script([Reply::call("create_issue", CREATE)]);
    let mut stream = ChatClient::new(world.local_channel())
        .send(request("", "create"))
        .await
        .unwrap()
        .into_inner();
    stream.message().await.unwrap();
    until(|| world.runner.executed().len() == 1).await;
    drop(stream);
    until(|| world.ledger.records("turn.finished").len() == 1).await;
    assert_eq!(world.ledger.records("turn.finished")[0].reason, "Cancelled");
    assert_eq!(world.ledger.records("call.finished").len(), 1);
}

#[tokio::test]
async fn a_rate_limit_is_waited_out_as_the_provider_asks() {
    let world = World::start().await;
    let limited = Reply {
        headers: vec![("retry-after", "1".to_owned())],
        ..Reply::failing(429, "{}")
    };
    world
        .model
        .script([limited, Reply::failing(503, "busy"), Reply::text("hello")]);
    let began = Instant::now();
    let turn = world.say("hello").await;
    assert_eq!(turn.done().text, "hello");
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(turn.done().usage.unwrap().model_requests, 3);
}

#[tokio::test]
async fn a_wait_beyond_the_turn_is_told_at_once() {
    let world = World::start().await;
    let limited = Reply {
        headers: vec![("retry-after", "3600".to_owned())],
        ..Reply::failing(429, r#"{"error":{"message":"quota"}}"#)
    };
    world.model.script([limited]);
    let began = Instant::now();
    let failed = world.say("hello").await.failed();
    assert_eq!(failed.code, "ModelUnavailable");
    assert!(failed.message.contains("quota"), "{}", failed.message);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[rstest]
#[case::unauthorised(401)]
#[case::bad_request(400)]
#[case::redirect(302)]
#[tokio::test]
async fn a_final_refusal_of_the_model_is_not_repeated(#[case] status: u16) {
    let world = World::start().await;
    let key = crate::support::world::MODEL_KEY;
    world.model.script([Reply::failing(
        status,
        &format!(r#"{{"error":{{"message":"wrong key {key}"}}}}"#),
    )]);
    let failed = world.say("hello").await.failed();
    assert_eq!(failed.code, "ModelUnavailable");
    assert!(
        failed.message.contains("wrong key [secret]"),
        "{}",
        failed.message
    );
    assert_eq!(world.model.seen().len(), 1);
}

#[tokio::test]
async fn a_stream_cut_before_any_text_is_asked_again() {
    let world = World::start().await;
    world.model.script([
        Reply {
            cut: true,
            ..Reply::call("create_issue", CREATE)
        },
        Reply::text("hello"),
    ]);
    let turn = world.say("hello").await;
    assert_eq!(turn.done().text, "hello");
    assert_eq!(world.runner.executed(), [], "half a call is no call");
}

#[tokio::test]
async fn a_stream_cut_after_text_is_a_clear_failure() {
    let world = World::start().await;
    world.model.script([
        Reply {
            cut: true,
            ..Reply::text("one two three four five six")
        },
        Reply::text("again"),
    ]);
    let turn = world.say("hello").await;
    assert_eq!(turn.failed().code, "ModelUnavailable");
    assert!(turn.failed().message.contains("broke off"));
    assert!(turn.text().starts_with("one two"));
    assert_eq!(world.model.seen().len(), 1);
}

#[tokio::test]
async fn an_overload_in_the_middle_of_a_stream_is_asked_again() {
    let world = World::start().await;
    let mut settings = world.settings();
    settings.model.as_mut().unwrap().dialect = monstrum_wire::policy::Dialect::Anthropic.into();
    world.enforce_with(&[Held::default()], settings, 60).await;
    let overloaded = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    world
        .model
        .script([Reply::failing(200, overloaded), Reply::text("hello")]);
    assert_eq!(world.say("hello").await.done().text, "hello");
}

#[tokio::test]
async fn an_endless_event_of_the_model_is_an_error() {
    let world = World::start().await;
    world
        .model
        .script([Reply::failing(200, &format!("data: {}", "x".repeat(3 << 20)))]);
    assert_eq!(world.say("hello").await.failed().code, "ModelUnavailable");
}

#[tokio::test]
async fn an_answer_at_the_output_limit_says_so() {
    let world = World::start().await;
    world.model.script([Reply {
        finish: "length",
        ..Reply::text("and then")
    }]);
    let turn = world.say("tell me everything").await;
    assert_eq!(turn.done().stop, "max_output_tokens");
    assert!(turn.done().text.starts_with("and then\n\nThe answer stops here"));
}

#[tokio::test]
async fn a_stop_of_the_process_lets_a_turn_end_and_takes_no_new_one() {
    let world = World::start().await;
    let gate = Arc::new(Notify::new());
    world.model.script([
        Reply {
            gate: Some(gate.clone()),
            ..Reply::call("list_issues", GOOD)
        },
        Reply::text("done"),
    ]);
    let stopping = async {
        until(|| world.model.seen().len() == 1).await;
        world.service.request_shutdown("test");
        tokio::time::sleep(Duration::from_millis(300)).await;
        gate.notify_one();
    };
    let (turn, ()) = tokio::join!(world.say("list"), stopping);
    assert_eq!(turn.done().text, "done");
    assert_eq!(turn.results()[0].content, "done");
}

#[rstest]
#[case::empty("  ")]
#[case::long(&"x".repeat(200 << 10))]
#[tokio::test]
async fn a_message_out_of_bounds_is_refused(#[case] text: &str) {
    let world = World::start().await;
    assert_eq!(world.say(text).await.failed().code, "InvalidMessage");
    assert_eq!(world.model.seen().len(), 0);
}

#[tokio::test]
async fn a_gateway_that_lost_its_session_makes_no_further_call() {
    let world = World::start().await;
    let gate = Arc::new(Notify::new());
    world.model.script([Reply {
        gate: Some(gate.clone()),
        ..Reply::call("create_issue", CREATE)
    }]);
    let stealing = async {
        until(|| world.model.seen().len() == 1).await;
        let session = world
            .ledger
            .state
            .lock()
            .unwrap()
            .sessions
            .keys()
            .next()
            .unwrap()
            .clone();
        world.ledger.steal(&session);
        gate.notify_one();
    };
    let (turn, ()) = tokio::join!(world.say("create"), stealing);
    assert_eq!(turn.failed().code, "SessionLost");
    assert_eq!(world.runner.executed(), []);
}

#[tokio::test]
async fn a_session_held_elsewhere_is_waited_for() {
    let world = World::start().await;
    world.model.script([Reply::text("first"), Reply::text("second")]);
    let session = world.say("a").await.session();
    world.ledger.steal(&session);
    let freeing = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        world.ledger.expire(&session);
    };
    let (turn, ()) = tokio::join!(world.send(request(&session, "b")), freeing);
    assert_eq!(turn.done().text, "second");
    assert!(
        turn.events
            .iter()
            .any(|event| event.event == Some(Event::Queued(1)))
    );
}

#[rstest]
#[case::literal("127.0.0.1")]
#[case::short("127.1")]
#[case::decimal("2130706433")]
#[case::hexadecimal("0x7f000001")]
#[case::octal("0177.0.0.1")]
#[case::mapped("[::ffff:127.0.0.1]")]
#[case::name("localhost")]
#[tokio::test]
async fn a_model_on_this_machine_is_never_asked_unless_it_is_named(#[case] host: &str) {
    let world = World::start().await;
    let mut settings = world.settings();
    let model = settings.model.as_mut().unwrap();
    model.base_url = model.base_url.replace("127.0.0.1", host);
    model.allowed_addresses.clear();
    world.model.script([Reply::text("you should not see this")]);
    world.enforce_with(&[Held::default()], settings, 60).await;
    let failed = world.say("hello").await.failed();
    assert!(!failed.message.contains("you should not see this"), "{failed:?}");
    assert_eq!(world.model.seen().len(), 0);
}
