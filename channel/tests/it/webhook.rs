//! The channel service from the outside.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use monstrum_channel::args::ChannelArgs;
use monstrum_channel::platform::sign;
use monstrum_channel::server::{self, StartError};
use monstrum_egress::EgressArgs;
use monstrum_service::{Service, TlsArgs};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::model::Reply;
use crate::support::world::{UID, World, own_channel, until};

pub(crate) const KEY: [u8; 32] = [7; 32];

pub(crate) struct Inbox {
    pub(crate) world: World,
    pub(crate) address: SocketAddr,
    pub(crate) client: reqwest::Client,
    _folder: TempDir,
}

/// The settings of a channel, with its own part changed.
pub(crate) fn settings(change: impl FnOnce(&mut Value)) -> Value {
    let mut settings = json!({
        "namespace": "team-a", "name": "inbox", "secretVersion": "v1",
        "routes": [{ "name": "asks", "bot": "triage", "botUid": UID }],
        "talkers": { "everyone": false, "users": ["u1"] },
        "platform": { "webhook": {
            "mode": "Synchronous", "toleranceSeconds": 300, "maxBodyBytes": 1000,
            "routes": { "asks": {
                "path": "/hooks/ask", "match": [{ "pointer": "/kind", "equals": "ask" }],
                "text": "/text", "user": "/from/id", "session": "/thread"
            } }
        } }
    });
    change(&mut settings["platform"]["webhook"]);
    settings
}

/// Starts a channel service on the runtime of whoever awaits this.
pub(crate) async fn start(
    world: &World,
    folder: &TempDir,
    settings: &Value,
    secret: Option<&str>,
    service: &Service,
) -> Result<SocketAddr, StartError> {
    let config = folder.path().join("config.json");
    std::fs::write(&config, settings.to_string()).unwrap();
    let path = folder.path().join("secret");
    if let Some(secret) = secret {
        std::fs::write(&path, secret).unwrap();
    }
    let args = ChannelArgs {
        tls: TlsArgs {
            tls_dir: "/nowhere".into(),
            trust_domain: "monstrum.local".to_owned(),
        },
        ledger: world.ledger_url.clone(),
        config,
        secret: path,
        listen: "127.0.0.1:0".parse().unwrap(),
        gateway_template: world.mutual.clone(),
        egress: EgressArgs { reach_loopback: true },
    };
    let address = server::start(args, world.tls(&own_channel()), service.clone())?;
    Ok(address.unwrap())
}

pub(crate) fn whsec() -> String {
    format!("whsec_{}", STANDARD.encode(KEY))
}

impl Inbox {
    pub(crate) async fn open(change: impl FnOnce(&mut Value)) -> Self {
        let world = World::start().await;
        let folder = tempfile::tempdir().unwrap();
        let address = start(
            &world,
            &folder,
            &settings(change),
            Some(&whsec()),
            &Service::default(),
        )
        .await
        .unwrap();
        Self {
            world,
            address,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            _folder: folder,
        }
    }

    /// That answers by callbacks to this address, which is in the range that is allowed.
    async fn calling_back(address: SocketAddr, allowed: &str) -> Self {
        Self::open(|settings| {
            settings["mode"] = json!("Callback");
            settings["callbackUrl"] = json!(format!("http://{address}/answers"));
            settings["allowedAddresses"] = json!([allowed]);
        })
        .await
    }

    pub(crate) fn request(&self, id: &str, timestamp: i64, body: &str) -> reqwest::RequestBuilder {
        signed(&self.client, self.address, id, timestamp, body)
    }

    pub(crate) async fn post(&self, id: &str, body: &str) -> (StatusCode, Value) {
        answer(self.request(id, now(), body)).await
    }
}

pub(crate) fn signed(
    client: &reqwest::Client,
    address: SocketAddr,
    id: &str,
    timestamp: i64,
    body: &str,
) -> reqwest::RequestBuilder {
    client
        .post(format!("http://{address}/hooks/ask"))
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp.to_string())
        .header("webhook-signature", sign(&KEY, id, timestamp, body.as_bytes()))
        .body(body.to_owned())
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

pub(crate) fn ask(text: &str) -> String {
    json!({ "kind": "ask", "text": text, "from": { "id": "u1", "name": "Ann" }, "thread": 7 }).to_string()
}

#[tokio::test]
async fn a_signed_message_is_answered_in_its_response() {
    let inbox = Inbox::open(|_| {}).await;
    inbox
        .world
        .model
        .script([Reply::text("hello Ann"), Reply::text("still here")]);
    let (status, first) = inbox.post("m1", &ask("hi")).await;
    assert_eq!((status, &first["text"]), (StatusCode::OK, &json!("hello Ann")));
    let (_, second) = inbox.post("m2", &ask("and now?")).await;
    assert_eq!(
        second["session"], first["session"],
        "one thread is one conversation"
    );
    let messages = inbox.world.model.seen()[1].json()["messages"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(messages, 4);
    let record = &inbox.world.ledger.records("turn.started")[0];
    assert_eq!(record.user, "u1");
    assert!(
        record.detail_json.contains("channel/inbox"),
        "{}",
        record.detail_json
    );
}

#[tokio::test]
async fn a_replay_is_answered_as_duplicate_and_not_run() {
    let inbox = Inbox::open(|_| {}).await;
    inbox.world.model.script([Reply::text("once")]);
    let (timestamp, body) = (now(), ask("hi"));
    let (_, first) = answer(inbox.request("m1", timestamp, &body)).await;
    assert_eq!(first["text"], "once");
    let (status, replay) = answer(inbox.request("m1", timestamp, &body)).await;
    assert_eq!(
        (status, replay),
        (StatusCode::OK, json!({ "status": "duplicate" }))
    );
    // A sender that tries the same message again, newly signed, gets the answer without a second turn.
    let (_, again) = answer(inbox.request("m1", timestamp + 1, &body)).await;
    assert_eq!(again["text"], "once");
    assert_eq!(inbox.world.model.seen().len(), 1);
}

#[rstest]
#[case::other_key(Some(sign(&[8; 32], "m1", 0, b"")))]
#[case::garbage(Some("v1,AAAA".to_owned()))]
#[case::missing(None)]
#[tokio::test]
async fn a_bad_signature_goes_nowhere(#[case] signature: Option<String>) {
    let inbox = Inbox::open(|_| {}).await;
    let mut request = inbox
        .client
        .post(format!("http://{}/hooks/ask", inbox.address))
        .header("content-type", "application/json")
        .header("webhook-id", "m1")
        .header("webhook-timestamp", now().to_string());
    if let Some(signature) = signature {
        request = request.header("webhook-signature", signature);
    }
    let (status, _) = answer(request.body(ask("hi"))).await;
    assert!(
        matches!(status, StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST),
        "{status}"
    );
    assert_eq!(inbox.world.model.seen().len(), 0);
}

#[rstest]
#[case::old(-301)]
#[case::future(302)]
#[tokio::test]
async fn a_timestamp_outside_of_the_window_is_refused(#[case] offset: i64) {
    let inbox = Inbox::open(|_| {}).await;
    let (status, body) = answer(inbox.request("m1", now() + offset, &ask("hi"))).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::UNAUTHORIZED, &json!("Timestamp"))
    );
}

#[tokio::test]
async fn a_body_has_a_bound_and_a_type() {
    let inbox = Inbox::open(|_| {}).await;
    let (status, _) = inbox.post("m1", &ask(&"x".repeat(2000))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let body = ask("hi");
    let (status, _) = answer(
        inbox
            .client
            .post(format!("http://{}/hooks/ask", inbox.address))
            .header("content-type", "text/plain")
            .header("webhook-id", "m1")
            .header("webhook-timestamp", now().to_string())
            .header("webhook-signature", sign(&KEY, "m1", now(), body.as_bytes()))
            .body(body),
    )
    .await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let response = inbox
        .client
        .get(format!("http://{}/hooks/ask", inbox.address))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(inbox.world.model.seen().len(), 0);
}

#[rstest]
#[case::no_json("hello", StatusCode::BAD_REQUEST)]
#[case::two_users(
    r#"{"kind":"ask","text":"x","thread":1,"from":{"id":"v","id":"u1"}}"#,
    StatusCode::BAD_REQUEST
)]
#[case::other_kind(
    r#"{"kind":"tell","text":"x","thread":1,"from":{"id":"u1"}}"#,
    StatusCode::NOT_FOUND
)]
#[case::stranger(
    r#"{"kind":"ask","text":"x","thread":1,"from":{"id":"v","name":"u1"}}"#,
    StatusCode::FORBIDDEN
)]
#[case::no_text(
    r#"{"kind":"ask","thread":1,"from":{"id":"u1"}}"#,
    StatusCode::UNPROCESSABLE_ENTITY
)]
#[case::no_thread(
    r#"{"kind":"ask","text":"x","from":{"id":"u1"}}"#,
    StatusCode::UNPROCESSABLE_ENTITY
)]
#[tokio::test]
async fn what_no_route_takes_is_refused(#[case] body: &str, #[case] expected: StatusCode) {
    let inbox = Inbox::open(|_| {}).await;
    assert_eq!(inbox.post("m1", body).await.0, expected);
    assert_eq!(inbox.world.model.seen().len(), 0);
}

#[tokio::test]
async fn without_the_replay_store_nothing_is_taken() {
    let inbox = Inbox::open(|_| {}).await;
    inbox.world.ledger.set_down(true);
    let (status, _) = inbox.post("m1", &ask("hi")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[rstest]
#[case::none(None)]
#[case::empty(Some(""))]
#[case::short(Some("whsec_c2hvcnQ="))]
#[tokio::test]
async fn without_a_secret_it_does_not_start(#[case] secret: Option<&str>) {
    let world = World::bare().await;
    let folder = tempfile::tempdir().unwrap();
    let outcome = start(&world, &folder, &settings(|_| {}), secret, &Service::default()).await;
    assert!(matches!(outcome, Err(StartError::Secret(_))));
}

#[tokio::test]
async fn a_rotated_secret_is_taken_up_while_running() {
    let inbox = Inbox::open(|_| {}).await;
    let new = [9; 32];
    std::fs::write(
        inbox._folder.path().join("secret"),
        format!("whsec_{}", STANDARD.encode(new)),
    )
    .unwrap();
    inbox.world.model.script((0..40).map(|_| Reply::text("hi")));
    let body = ask("hi");
    let mut taken = false;
    for attempt in 0..40 {
        let (id, timestamp) = (format!("m{attempt}"), now());
        let request = inbox.request(&id, timestamp, &body);
        let request = request.build().unwrap();
        let mut request = request;
        request.headers_mut().insert(
            "webhook-signature",
            sign(&new, &id, timestamp, body.as_bytes()).parse().unwrap(),
        );
        taken = inbox.client.execute(request).await.unwrap().status() == StatusCode::OK;
        if taken {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(taken);
    assert_eq!(inbox.post("old", &body).await.0, StatusCode::UNAUTHORIZED);
}

#[derive(Clone, Default)]
pub(crate) struct Receiver {
    pub(crate) seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    failures: Arc<Mutex<u32>>,
    /// What a failure is answered with, if not with 502.
    refusal: Arc<Mutex<Option<StatusCode>>>,
}

impl Receiver {
    pub(crate) async fn start(&self) -> SocketAddr {
        let receiver = self.clone();
        let router = axum::Router::new().route(
            "/answers",
            axum::routing::post(move |headers: HeaderMap, body: Bytes| async move {
                receiver.seen.lock().unwrap().push((headers, body));
                let mut failures = receiver.failures.lock().unwrap();
                if *failures == 0 {
                    return StatusCode::OK;
                }
                *failures -= 1;
                receiver
                    .refusal
                    .lock()
                    .unwrap()
                    .unwrap_or(StatusCode::BAD_GATEWAY)
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }
}

#[tokio::test]
async fn a_callback_is_signed_and_sent_again_until_it_is_taken() {
    let receiver = Receiver::default();
    *receiver.failures.lock().unwrap() = 1;
    let address = receiver.start().await;
    let inbox = Inbox::calling_back(address, "127.0.0.0/8").await;
    inbox.world.model.script([Reply::text("later")]);
    let (timestamp, body) = (now(), ask("hi"));
    let (status, accepted) = answer(inbox.request("m1", timestamp, &body)).await;
    assert_eq!(
        (status, accepted),
        (StatusCode::ACCEPTED, json!({ "status": "accepted" }))
    );
    let (status, replay) = answer(inbox.request("m1", timestamp, &body)).await;
    assert_eq!(
        (status, replay),
        (StatusCode::ACCEPTED, json!({ "status": "duplicate" }))
    );
    until(|| receiver.seen.lock().unwrap().len() == 2).await;
    let seen = receiver.seen.lock().unwrap().clone();
    for (headers, body) in &seen {
        let text = |name: &str| headers[name].to_str().unwrap();
        assert_eq!(text("webhook-id"), "answer_m1");
        let signature = sign(
            &KEY,
            "answer_m1",
            text("webhook-timestamp").parse().unwrap(),
            body,
        );
        assert_eq!(text("webhook-signature"), signature);
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(
            (&body["text"], &body["inReplyTo"]),
            (&json!("later"), &json!("m1"))
        );
    }
}

#[rstest]
#[case::a_secret_that_is_being_rotated(StatusCode::UNAUTHORIZED, true)]
#[case::a_route_that_is_not_there_yet(StatusCode::NOT_FOUND, true)]
#[case::a_receiver_that_waited(StatusCode::REQUEST_TIMEOUT, true)]
#[case::nothing_is_wanted_there_again(StatusCode::GONE, false)]
#[case::elsewhere(StatusCode::PERMANENT_REDIRECT, false)]
#[tokio::test]
async fn an_answer_is_not_lost_to_what_may_pass(#[case] status: StatusCode, #[case] again: bool) {
    let receiver = Receiver::default();
    *receiver.failures.lock().unwrap() = 1;
    *receiver.refusal.lock().unwrap() = Some(status);
    let address = receiver.start().await;
    let inbox = Inbox::calling_back(address, "127.0.0.0/8").await;
    inbox.world.model.script([Reply::text("later")]);
    inbox.post("m1", &ask("hi")).await;
    let seen = || receiver.seen.lock().unwrap().len();
    if again {
        until(|| seen() == 2).await;
    } else {
        until(|| seen() == 1).await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(seen(), 1);
    }
}

#[tokio::test]
async fn a_failed_turn_is_told_by_callback_too() {
    let receiver = Receiver::default();
    let address = receiver.start().await;
    let inbox = Inbox::calling_back(address, "127.0.0.1/32").await;
    inbox.world.model.script([Reply::failing(400, "no")]);
    inbox.post("m1", &ask("hi")).await;
    until(|| receiver.seen.lock().unwrap().len() == 1).await;
    let body: Value = serde_json::from_slice(&receiver.seen.lock().unwrap()[0].1).unwrap();
    assert_eq!(body["error"]["code"], "ModelUnavailable");
}

#[tokio::test]
async fn a_gateway_that_stays_away_is_told_clearly() {
    let inbox = Inbox::open(|_| {}).await;
    inbox.world.service.request_shutdown("test");
    let (status, body) = tokio::time::timeout(Duration::from_secs(60), inbox.post("m1", &ask("hi")))
        .await
        .unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        body["error"]["message"].as_str().unwrap().contains("again"),
        "{body}"
    );
}
