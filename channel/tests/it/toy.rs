//! A platform that is one folder: its messages go the whole way that is the same for every platform.

mod platform;
mod server;

use std::sync::Arc;

use monstrum_channel::args::ChannelArgs;
use monstrum_channel::intake::{Intake, Message};
use monstrum_channel::platform::{Answer, Means, Platform, Progress, Receiving, Undelivered, Unsent};
use monstrum_channel::settings::Settings;
use monstrum_egress::EgressArgs;
use monstrum_guardian::source::ApprovalRule;
use monstrum_service::{Service, TlsArgs};
use monstrum_testbed::model::Reply;
use monstrum_testbed::policies::Held;
use monstrum_testbed::runner::Act;
use monstrum_testbed::world::{UID, World, own_channel};
use monstrum_wire::chat::CallDecision;
use serde_json::{Value, json};
use tempfile::TempDir;

use platform::Toy;
use server::Server;

const CALL: &str = r#"{"owner":"acme","repo":"web"}"#;

struct Scene {
    world: World,
    server: Server,
    _folder: TempDir,
}

impl Scene {
    async fn open() -> Self {
        Self::open_as(|toy| toy).await
    }

    async fn open_as<P: Platform>(make: impl FnOnce(Toy) -> P) -> Self {
        let (world, server) = (World::start().await, Server::start().await);
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "open sesame\n").unwrap();
        let settings: Settings<platform::Settings> = serde_json::from_value(json!({
            "namespace": "team-a", "name": "inbox", "secretVersion": "v1",
            "routes": [{ "name": "asks", "bot": "triage", "botUid": UID }],
            "talkers": { "users": ["u1"] },
            "platform": { "server": server.address(), "routes": { "asks": ["desk"] } }
        }))
        .unwrap();
        let service = Service::default();
        let args = ChannelArgs {
            tls: TlsArgs {
                tls_dir: "/nowhere".into(),
                trust_domain: "monstrum.local".to_owned(),
            },
            ledger: world.ledger_url.clone(),
            config: "/nowhere".into(),
            secret: secret.clone(),
            listen: "127.0.0.1:0".parse().unwrap(),
            gateway_template: world.mutual.clone(),
            egress: EgressArgs { reach_loopback: true },
        };
        let means = Means {
            secret,
            egress: args.egress.egress(),
            service: service.clone(),
        };
        let toy = Arc::new(make(Toy::new(settings.platform.clone(), means).unwrap()));
        let tls = world.tls(&own_channel());
        let listens = monstrum_channel::server::open(args, settings, toy, tls, service).unwrap();
        assert_eq!(listens, None, "it dials out, and nothing listens");
        Self {
            world,
            server,
            _folder: folder,
        }
    }
}

/// A platform that does not get its progress shown.
struct Stuck(Arc<Toy>);

#[async_trait::async_trait]
impl Platform for Stuck {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn receive(self: Arc<Self>, intake: Intake) -> Receiving {
        Arc::clone(&self.0).receive(intake)
    }

    async fn send(&self, message: &Message, answer: &Result<Answer, Undelivered>) -> Result<(), Unsent> {
        self.0.send(message, answer).await
    }

    async fn progress(&self, _: &Message, _: &Progress) {
        std::future::pending().await
    }

    async fn ask(&self, message: &Message, question: &CallDecision) {
        self.0.ask(message, question).await;
    }
}

fn about(mut told: Value) -> Value {
    told["about"] = json!("m1");
    told
}

#[tokio::test]
async fn a_message_goes_the_whole_way_and_its_turn_is_shown() {
    let scene = Scene::open().await;
    scene
        .world
        .model
        .script([Reply::call("list_issues", CALL), Reply::text("hello Ann")]);
    scene.world.runner.script([Act::Answer(vec![b"[]".to_vec()])]);
    let mut desk = scene.server.dialled().await;
    desk.say("m1", "u1", "hi").await;
    assert_eq!(desk.hear().await, about(json!({ "taken": true })));
    let heard = desk.hear_until("answer").await;
    assert_eq!(heard.first(), Some(&about(json!({ "calls": "list_issues" }))));
    let text: String = heard.iter().filter_map(|told| told["text"].as_str()).collect();
    assert_eq!(text, "hello Ann");
    assert_eq!(heard.last(), Some(&about(json!({ "answer": "hello Ann" }))));
    let record = &scene.world.ledger.records("turn.started")[0];
    assert_eq!(record.user, "u1");
}

#[tokio::test]
async fn a_call_that_needs_approval_is_asked_about() {
    let scene = Scene::open().await;
    let approval = vec![ApprovalRule {
        risk: None,
        operations: Vec::new(),
    }];
    scene
        .world
        .enforce(&[Held {
            approval,
            ..Held::default()
        }])
        .await;
    scene
        .world
        .model
        .script([Reply::call("list_issues", CALL), Reply::text("I may not")]);
    let mut desk = scene.server.dialled().await;
    desk.say("m1", "u1", "hi").await;
    let heard = desk.hear_until("answer").await;
    let asked = |told: &&Value| told["asks"].is_string() && told["about"] == "m1";
    assert_eq!(heard.iter().filter(asked).count(), 1, "{heard:?}");
}

#[tokio::test]
async fn an_answer_finds_the_next_connection_and_a_repeated_message_is_not_run_again() {
    let scene = Scene::open().await;
    scene.world.model.script([Reply::text("at last")]);
    let mut desk = scene.server.dialled().await;
    desk.say("m1", "u1", "hi").await;
    assert_eq!(desk.hear().await, about(json!({ "taken": true })));
    desk.hear_until("answer").await;
    drop(desk);
    let mut desk = scene.server.dialled().await;
    desk.say("m1", "u1", "hi").await;
    assert_eq!(desk.hear().await, about(json!({ "taken": false })));
    scene.world.model.script([Reply::text("still here")]);
    desk.say("m2", "u1", "and now?").await;
    let heard = desk.hear_until("answer").await;
    assert_eq!(heard.last().unwrap()["answer"], "still here");
    assert_eq!(scene.world.model.seen().len(), 2);
}

#[tokio::test]
async fn a_stranger_is_told_so_and_no_gateway_hears_of_it() {
    let scene = Scene::open().await;
    let mut desk = scene.server.dialled().await;
    desk.say("m1", "u2", "hi").await;
    assert_eq!(desk.hear().await, about(json!({ "refused": "Forbidden" })));
    assert_eq!(scene.world.model.seen().len(), 0);
}

#[tokio::test]
async fn a_platform_that_shows_nothing_holds_up_no_answer() {
    let scene = Scene::open_as(|toy| Stuck(Arc::new(toy))).await;
    scene.world.model.script([Reply::text("hello Ann")]);
    let mut desk = scene.server.dialled().await;
    desk.say("m1", "u1", "hi").await;
    let heard = desk.hear_until("answer").await;
    assert_eq!(heard.last().unwrap()["answer"], "hello Ann");
}
