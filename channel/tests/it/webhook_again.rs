//! Deliveries that are made again: what was not answered is answered then, what was is a replay.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use rstest::rstest;
use serde_json::json;
use tokio::sync::Notify;

use crate::support::model::Reply;
use crate::support::world::until;
use crate::webhook::{Inbox, answer, ask, now};

#[rstest]
#[case::as_it_was(0)]
#[case::signed_anew(1)]
#[tokio::test]
async fn a_delivery_that_failed_is_answered_when_it_comes_again(#[case] later: i64) {
    let inbox = Inbox::open(|_| {}).await;
    inbox
        .world
        .model
        .script([Reply::failing(400, "no"), Reply::text("hello Ann")]);
    let (timestamp, body) = (now(), ask("hi"));
    let (status, _) = answer(inbox.request("m1", timestamp, &body)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let (status, again) = answer(inbox.request("m1", timestamp + later, &body)).await;
    assert_eq!((status, &again["text"]), (StatusCode::OK, &json!("hello Ann")));
    // From here on it is a replay.
    let (status, replay) = answer(inbox.request("m1", timestamp + later, &body)).await;
    assert_eq!(
        (status, replay),
        (StatusCode::OK, json!({ "status": "duplicate" }))
    );
    assert_eq!(inbox.world.model.seen().len(), 2);
}

/// Somebody else of the same conversation spoke meanwhile, so that the first turn can't simply go on.
#[rstest]
#[case::as_it_was(0)]
#[case::signed_anew(1)]
#[tokio::test]
async fn a_delivery_that_failed_is_answered_although_another_message_came_between(#[case] later: i64) {
    let inbox = Inbox::open(|_| {}).await;
    inbox.world.model.script([
        Reply::failing(400, "no"),
        Reply::text("the second"),
        Reply::text("the first"),
    ]);
    let timestamp = now();
    let (status, _) = answer(inbox.request("m1", timestamp, &ask("first"))).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let (_, second) = inbox.post("m2", &ask("second")).await;
    assert_eq!(second["text"], "the second");
    let (status, first) = answer(inbox.request("m1", timestamp + later, &ask("first"))).await;
    assert_eq!((status, &first["text"]), (StatusCode::OK, &json!("the first")));
    let (_, replay) = answer(inbox.request("m1", timestamp + later + 1, &ask("first"))).await;
    assert_eq!(replay["text"], "the first", "a turn is run once");
    assert_eq!(inbox.world.model.seen().len(), 3);
}

#[tokio::test]
async fn a_delivery_that_is_under_way_is_put_off_and_not_called_a_duplicate() {
    let inbox = Inbox::open(|_| {}).await;
    let gate = Arc::new(Notify::new());
    inbox.world.model.script([Reply {
        gate: Some(gate.clone()),
        ..Reply::text("once")
    }]);
    let (timestamp, body) = (now(), ask("hi"));
    let first = tokio::spawn(answer(inbox.request("m1", timestamp, &body)));
    until(|| inbox.world.model.seen().len() == 1).await;
    let response = inbox.request("m1", timestamp, &body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    gate.notify_one();
    assert_eq!(first.await.unwrap().1["text"], "once");
    let (_, replay) = answer(inbox.request("m1", timestamp, &body)).await;
    assert_eq!(replay, json!({ "status": "duplicate" }));
}

#[tokio::test]
async fn a_sender_that_gave_up_waiting_gets_its_answer_when_it_comes_again() {
    let inbox = Inbox::open(|_| {}).await;
    let gate = Arc::new(Notify::new());
    inbox.world.model.script([
        Reply {
            gate: Some(gate.clone()),
            ..Reply::text("late")
        },
        Reply::text("late"),
    ]);
    let (timestamp, body) = (now(), ask("hi"));
    let waiting = tokio::spawn(answer(inbox.request("m1", timestamp, &body)));
    until(|| inbox.world.model.seen().len() == 1).await;
    waiting.abort();
    gate.notify_one();
    let mut last = (StatusCode::SERVICE_UNAVAILABLE, json!(null));
    for _ in 0..50 {
        last = answer(inbox.request("m1", timestamp, &body)).await;
        if last.0 == StatusCode::OK {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((last.0, &last.1["text"]), (StatusCode::OK, &json!("late")));
}

#[tokio::test]
async fn what_was_refused_for_good_stays_refused() {
    let inbox = Inbox::open(|_| {}).await;
    let timestamp = now();
    let stranger = json!({ "kind": "ask", "text": "x", "from": { "id": "v" }, "thread": 1 }).to_string();
    let (status, _) = answer(inbox.request("m1", timestamp, &stranger)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, again) = answer(inbox.request("m1", timestamp, &stranger)).await;
    assert_eq!(
        (status, again),
        (StatusCode::OK, json!({ "status": "duplicate" }))
    );
    assert_eq!(inbox.world.model.seen().len(), 0);
}
