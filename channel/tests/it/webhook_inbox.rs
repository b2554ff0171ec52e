//! Accepted messages of channel processes that die, from the outside.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use monstrum_service::Service;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::support::model::Reply;
use crate::support::policies::Held;
use crate::support::world::{World, until};
use crate::webhook::{Receiver, answer, ask, now, settings, signed, start, whsec};

/// A channel in mode `Callback` whose processes come and go.
struct Mail {
    world: World,
    receiver: Receiver,
    settings: Value,
    client: reqwest::Client,
}

/// One process of it, with a runtime of its own.
struct Process {
    address: SocketAddr,
    runtime: Option<Runtime>,
    _folder: TempDir,
}

/// A process is killed, not stopped: all of its tasks and connections end at once.
impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Mail {
    async fn open() -> Self {
        let (world, receiver) = (World::start().await, Receiver::default());
        let address = receiver.start().await;
        let settings = settings(|settings| {
            settings["mode"] = json!("Callback");
            settings["callbackUrl"] = json!(format!("http://{address}/answers"));
            settings["allowedAddresses"] = json!(["127.0.0.0/8"]);
        });
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        Self {
            world,
            receiver,
            settings,
            client,
        }
    }

    async fn process(&self) -> Process {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let service = Service::default();
        let secret = whsec();
        let starting = start(&self.world, &folder, &self.settings, Some(&secret), &service);
        // What it spawns, it spawns on its own runtime.
        let address = tokio::task::block_in_place(|| runtime.block_on(starting)).unwrap();
        Process {
            address,
            runtime: Some(runtime),
            _folder: folder,
        }
    }

    async fn post(&self, process: &Process, id: &str, timestamp: i64) -> (StatusCode, Value) {
        answer(signed(&self.client, process.address, id, timestamp, &ask("hi"))).await
    }

    /// A process that took a message and was killed while the model thinks; what lets the model speak.
    async fn killed(&self) -> Arc<Notify> {
        let gate = Arc::new(Notify::new());
        let slow = Reply {
            gate: Some(Arc::clone(&gate)),
            ..Reply::text("at last")
        };
        self.world.model.script([slow, Reply::text("at last")]);
        let process = self.process().await;
        let (status, _) = self.post(&process, "m1", now()).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        until(|| self.world.model.seen().len() == 1).await;
        drop(process);
        // The gateway ends a turn whose sender is gone; until then the model's answer would still be this turn's.
        until(|| !self.world.ledger.records("turn.finished").is_empty()).await;
        gate
    }

    fn waiting(&self) -> usize {
        self.world.ledger.state.lock().unwrap().inbox.rows.len()
    }

    fn lapse(&self) {
        self.world.ledger.state.lock().unwrap().inbox.lapse();
    }

    fn callbacks(&self) -> Vec<(String, Value)> {
        let seen = self.receiver.seen.lock().unwrap();
        seen.iter()
            .map(|(headers, body)| {
                let id = headers["webhook-id"].to_str().unwrap().to_owned();
                (id, serde_json::from_slice(body).unwrap())
            })
            .collect()
    }

    /// The one callback, when the ledger has forgotten the message.
    async fn only_callback(&self) -> Value {
        until(|| self.waiting() == 0).await;
        let callbacks = self.callbacks();
        assert_eq!(callbacks.len(), 1, "{callbacks:?}");
        assert_eq!(callbacks[0].0, "answer_m1");
        callbacks[0].1.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_process_answers_what_a_killed_one_accepted() {
    let mail = Mail::open().await;
    let gate = mail.killed().await;
    assert_eq!((mail.waiting(), mail.callbacks().len()), (1, 0));
    mail.lapse();
    let _next = mail.process().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    gate.notify_waiters();
    gate.notify_one();
    assert_eq!(mail.only_callback().await["text"], "at last");
    // The turn was cut off with its sender and went on: the message stands once in the conversation, and so does the answer.
    let state = mail.world.ledger.state.lock().unwrap();
    let session = state.sessions.values().next().unwrap();
    let count = |role: &str| {
        session
            .messages
            .iter()
            .filter(|message| message.role == role)
            .count()
    };
    assert_eq!(
        (state.sessions.len(), count("user"), count("assistant")),
        (1, 1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_take_up_a_message_once() {
    let mail = Mail::open().await;
    let gate = mail.killed().await;
    gate.notify_one();
    mail.lapse();
    let (_one, _other) = (mail.process().await, mail.process().await);
    assert_eq!(mail.only_callback().await["text"], "at last");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(mail.callbacks().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_living_lease_is_left_alone() {
    let mail = Mail::open().await;
    let _gate = mail.killed().await;
    let _next = mail.process().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let state = mail.world.ledger.state.lock().unwrap();
    assert_eq!(state.inbox.rows[0].claimed.attempt, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_stays_one_while_the_message_waits_and_after() {
    let mail = Mail::open().await;
    let (first, timestamp) = (mail.process().await, now());
    mail.world.model.script([Reply::text("once")]);
    let accepted = mail.post(&first, "m1", timestamp).await;
    assert_eq!(accepted, (StatusCode::ACCEPTED, json!({ "status": "accepted" })));
    assert_eq!(mail.only_callback().await["text"], "once");
    drop(first);
    let next = mail.process().await;
    let replay = mail.post(&next, "m1", timestamp).await;
    assert_eq!(replay, (StatusCode::ACCEPTED, json!({ "status": "duplicate" })));
    assert_eq!((mail.waiting(), mail.callbacks().len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_accepted_that_the_ledger_does_not_keep() {
    let mail = Mail::open().await;
    let process = mail.process().await;
    mail.world.ledger.set_down(true);
    let (status, _) = mail.post(&process, "m1", now()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    mail.world.ledger.set_down(false);
    assert_eq!(mail.waiting(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_no_gateway_takes_is_not_accepted() {
    let mut mail = Mail::open().await;
    mail.settings["platform"]["webhook"]["maxBodyBytes"] = json!(1_000_000);
    let process = mail.process().await;
    let (timestamp, body) = (now(), ask(&"x".repeat((128 << 10) + 1)));
    for _ in 0..2 {
        let request = signed(&mail.client, process.address, "m1", timestamp, &body);
        let (status, body) = answer(request).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(body["error"]["code"], "InvalidMessage");
    }
    assert_eq!(mail.waiting(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_given_up_after_its_attempts() {
    let mail = Mail::open().await;
    let _gate = mail.killed().await;
    mail.world.ledger.state.lock().unwrap().inbox.rows[0]
        .claimed
        .attempt = 5;
    mail.lapse();
    let _next = mail.process().await;
    assert_eq!(mail.only_callback().await["error"]["code"], "GivenUp");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_somebody_who_may_not_talk_any_more_is_refused() {
    let mut mail = Mail::open().await;
    let _gate = mail.killed().await;
    mail.settings["talkers"]["users"] = json!(["u2"]);
    mail.lapse();
    let _next = mail.process().await;
    assert_eq!(mail.only_callback().await["error"]["code"], "Refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_renewed_and_a_lost_message_is_left_alone() {
    let mail = Mail::open().await;
    let mut patient = mail.world.settings();
    patient.model.as_mut().unwrap().request_timeout_seconds = 60;
    mail.world.enforce_with(&[Held::default()], patient, 60).await;
    let gate = Arc::new(Notify::new());
    let slow = Reply {
        gate: Some(Arc::clone(&gate)),
        ..Reply::text("too late")
    };
    mail.world.model.script([slow]);
    let process = mail.process().await;
    mail.post(&process, "m1", now()).await;
    let inbox =
        |read: fn(&crate::support::inbox::Inbox) -> u32| read(&mail.world.ledger.state.lock().unwrap().inbox);
    until(|| inbox(|inbox| inbox.renewed) == 1).await;
    mail.world.ledger.state.lock().unwrap().inbox.rows[0]
        .claimed
        .attempt = 2;
    until(|| inbox(|inbox| inbox.not_renewed) == 1).await;
    until(|| mail.world.ledger.records("turn.finished").len() == 1).await;
    gate.notify_one();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((mail.waiting(), mail.callbacks().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_conversation_are_taken_up_in_their_order() {
    let mail = Mail::open().await;
    let gate = mail.killed().await;
    // A second one waited behind it.
    {
        let mut state = mail.world.ledger.state.lock().unwrap();
        let mut second = state.inbox.rows[0].claimed.clone();
        second.id = "second".to_owned();
        let message = second.message.as_mut().unwrap();
        message.message_id = "m2".to_owned();
        message.text = "and then?".to_owned();
        state.inbox.put_like_first(second);
    }
    mail.world
        .model
        .script([Reply::text("then nothing"), Reply::text("then nothing")]);
    gate.notify_one();
    mail.lapse();
    let _next = mail.process().await;
    until(|| mail.waiting() == 0).await;
    let told: Vec<(String, Value)> = mail.callbacks();
    let text = |id: &str| told.iter().find(|(of, _)| of == id).unwrap().1["text"].clone();
    assert_eq!(
        (text("answer_m1"), text("answer_m2")),
        (json!("at last"), json!("then nothing"))
    );
}
