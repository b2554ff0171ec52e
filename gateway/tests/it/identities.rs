//! Every method of the port between pods, called by every identity; and what the loopback port offers.

use monstrum_service::Channel;
use monstrum_wire::chat::StatusRequest;
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::guardian::guardian_client::GuardianClient;
use monstrum_wire::guardian::{CheckEffectRequest, CheckRequest, ListToolsRequest, Verdict};
use monstrum_wire::identity::{BotId, ChannelId, Identity};
use monstrum_wire::ledger::audit_client::AuditClient;
use monstrum_wire::ledger::{HeadRequest, ReadRequest};
use monstrum_wire::runner::link_client::LinkClient;
use monstrum_wire::runner::{FromRunner, GatewaysRequest, RunnerHello, from_runner};
use tonic::Code;

use crate::support::model::Reply;
use crate::support::policies::Held;
use crate::support::runner::Act;
use crate::support::world::{
    LATER_UID, UID, World, bot, channel_of, collect, own_channel, own_runner, request, until,
};

fn bot_named(namespace: &str, name: &str) -> BotId {
    BotId {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..bot()
    }
}

/// The bot that came before under the same name, or comes after.
fn namesake() -> BotId {
    BotId {
        uid: LATER_UID.parse().unwrap(),
        ..bot()
    }
}

fn runner(bot: BotId, runner: &str) -> Identity {
    Identity::Runner {
        bot,
        runner: runner.to_owned(),
    }
}

fn channel(namespace: &str, name: &str) -> Identity {
    Identity::Channel(ChannelId {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        uid: UID.parse().unwrap(),
    })
}

fn everybody() -> Vec<Identity> {
    vec![
        Identity::Operator,
        Identity::Ledger,
        Identity::Gateway(bot()),
        Identity::Gateway(namesake()),
        Identity::Gateway(bot_named("team-a", "other")),
        own_runner(),
        runner(bot(), "resource-shell"),
        runner(namesake(), "default"),
        runner(bot_named("team-a", "other"), "default"),
        runner(bot_named("team-b", "triage"), "default"),
        own_channel(),
        channel_of(LATER_UID),
        // Of the same namespace, without a route to this bot.
        channel("team-a", "unrouted"),
        channel("team-b", "inbox"),
    ]
}

const METHODS: [&str; 8] = [
    "Chat/Send",
    "Chat/Status",
    "Guardian/Check",
    "Guardian/CheckEffect",
    "Guardian/ListTools",
    "Link/Attach",
    "Link/Gateways",
    "Audit/Head",
];

async fn code_of(world: &World, identity: &Identity, method: &str) -> Code {
    code_over(world, world.connect(&world.tls(identity)), method).await
}

async fn code_over(world: &World, connection: Channel, method: &str) -> Code {
    let outcome = match method {
        "Chat/Send" => match ChatClient::new(connection).send(request("", "hello")).await {
            Ok(response) => {
                // The whole turn, so that it does not outlive the check.
                let mut events = response.into_inner();
                while events.message().await.unwrap().is_some() {}
                Ok(())
            }
            Err(status) => Err(status),
        },
        "Chat/Status" => ChatClient::new(connection)
            .status(StatusRequest {})
            .await
            .map(drop),
        "Guardian/Check" => GuardianClient::new(connection)
            .check(CheckRequest::default())
            .await
            .map(drop),
        "Guardian/CheckEffect" => GuardianClient::new(connection)
            .check_effect(CheckEffectRequest::default())
            .await
            .map(drop),
        "Guardian/ListTools" => GuardianClient::new(connection)
            .list_tools(ListToolsRequest {})
            .await
            .map(drop),
        "Link/Attach" => {
            let hello = FromRunner {
                message: Some(from_runner::Message::Hello(RunnerHello::default())),
            };
            LinkClient::new(connection)
                .attach(tokio_stream::iter([hello]))
                .await
                .map(drop)
        }
        "Link/Gateways" => match LinkClient::new(connection).gateways(GatewaysRequest {}).await {
            Ok(lists) => {
                let list = lists.into_inner().message().await.unwrap().unwrap();
                let own = world.mutual.replace("https://localhost", "127.0.0.1");
                assert_eq!(list.addresses, [own]);
                Ok(())
            }
            Err(status) => Err(status),
        },
        "Audit/Head" => AuditClient::new(connection).head(HeadRequest {}).await.map(drop),
        _ => panic!("{method}"),
    };
    outcome.map_or_else(|status| status.code(), |()| Code::Ok)
}

#[tokio::test]
async fn every_method_refuses_every_foreign_identity() {
    let world = World::start().await;
    world.model.script((0..20).map(|_| Reply::text("hi")));
    for identity in everybody() {
        for method in METHODS {
            let expected = match method {
                "Audit/Head" => Code::Unimplemented,
                "Chat/Send" | "Chat/Status" if identity == own_channel() => Code::Ok,
                "Guardian/Check" | "Guardian/ListTools" | "Link/Attach" | "Link/Gateways"
                    if identity == own_runner() =>
                {
                    Code::Ok
                }
                // It runs no call.
                "Guardian/CheckEffect" if identity == own_runner() => Code::FailedPrecondition,
                _ => Code::PermissionDenied,
            };
            assert_eq!(
                code_of(&world, &identity, method).await,
                expected,
                "{identity} calls {method}"
            );
        }
    }
}

/// With certificates of an earlier issue, or after the object was deleted, or before the operator said who lives.
async fn assert_refused(world: &World, connections: &[(Identity, Channel)], expected: Code) {
    for (identity, connection) in connections {
        // Without a policy the Guardian tells its own runners that everything is denied.
        let asked = |method: &&str| {
            *method != "Audit/Head" && (expected != Code::Unavailable || !method.starts_with("Guardian"))
        };
        for method in METHODS.into_iter().filter(asked) {
            let code = code_over(world, connection.clone(), method).await;
            // A runner may not chat whatever its certificate, nor a channel attach.
            assert!(
                code == expected || code == Code::PermissionDenied,
                "{identity} calls {method}: {code:?}"
            );
            assert_ne!(code, Code::Ok);
        }
    }
}

/// Waits until a runner is attached, or none.
async fn runner_is(world: &World, attached: bool) {
    let waiting = async {
        while world.has_runner().await != attached {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), waiting)
        .await
        .expect("it never became so");
}

#[tokio::test]
async fn a_certificate_of_an_earlier_issue_reaches_nothing() {
    let world = World::start().await;
    let copied = [own_runner(), own_channel()]
        .map(|identity| (identity.clone(), world.connect(&world.tls(&identity))));
    for (identity, _) in &copied {
        world.enrol(identity).await;
    }
    assert_refused(&world, &copied, Code::PermissionDenied).await;
}

#[tokio::test]
async fn whoever_is_dismissed_reaches_nothing_and_what_was_open_ends_within_a_second() {
    let world = World::start().await;
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    world.model.script([Reply {
        gate: Some(gate),
        ..Reply::text("too late")
    }]);
    runner_is(&world, true).await;
    let connection = world.connect(&world.tls(&own_channel()));
    let mut chat = ChatClient::new(connection.clone());
    let mut turn = chat.send(request("", "hello")).await.unwrap().into_inner();
    turn.message().await.unwrap().unwrap();
    let mut link = LinkClient::new(world.connect(&world.tls(&own_runner())));
    let mut gateways = link.gateways(GatewaysRequest {}).await.unwrap().into_inner();
    gateways.message().await.unwrap().unwrap();

    world.operator.dismiss(&own_channel());
    world.operator.dismiss(&own_runner());
    let ended = async {
        while let Ok(Some(_)) = turn.message().await {}
        while let Ok(Some(_)) = gateways.message().await {}
    };
    tokio::time::timeout(std::time::Duration::from_secs(1), ended)
        .await
        .expect("what was open ends within a second");
    runner_is(&world, false).await;
    let copied = [own_runner(), own_channel()]
        .map(|identity| (identity.clone(), world.connect(&world.tls(&identity))));
    assert_refused(&world, &copied, Code::PermissionDenied).await;
}

#[tokio::test]
async fn before_the_operator_says_who_lives_nobody_is_admitted() {
    let world = World::bare().await;
    let known = [own_runner(), own_channel()]
        .map(|identity| (identity.clone(), world.connect(&world.tls(&identity))));
    assert_refused(&world, &known, Code::Unavailable).await;
}

#[tokio::test]
async fn when_the_policy_lapses_nobody_is_admitted() {
    let world = World::start().await;
    world.enforce_with(&[Held::default()], world.settings(), 1).await;
    world
        .operator
        .renews
        .store(false, std::sync::atomic::Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_millis(1300)).await;
    let known = [own_runner(), own_channel()]
        .map(|identity| (identity.clone(), world.connect(&world.tls(&identity))));
    assert_refused(&world, &known, Code::Unavailable).await;
}

#[tokio::test]
async fn a_runners_calls_end_before_its_old_certificate_does() {
    let world = World::start().await;
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    world.model.script([
        Reply::call("list_issues", r#"{"owner":"acme","repo":"web"}"#),
        Reply::text("done"),
    ]);
    world.runner.script([Act::Wait(gate.clone(), b"found".to_vec())]);
    let local = world.local;
    let turn = tokio::spawn(async move { collect(local, request("", "list them")).await });
    until(|| world.runner.executed().len() == 1).await;
    // Its certificate was replaced, and the time is over in which the old one was good too.
    let renewed = world.enrol(&own_runner()).await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(world.has_runner().await, "its call runs");
    gate.notify_one();
    let turn = crate::support::world::Turn {
        events: turn.await.unwrap(),
    };
    assert!(turn.results()[0].ok, "{turn:?}");
    assert_eq!(turn.done().text, "done");
    runner_is(&world, false).await;
    let again = world.runner.start(renewed, world.mutual.clone());
    runner_is(&world, true).await;
    again.abort();
}

#[tokio::test]
async fn a_certificate_of_another_authority_reaches_nothing() {
    let world = World::start().await;
    let other = monstrum_service::authority::Authority::generate("monstrum.local").unwrap();
    let tls = crate::support::world::tls(&other, &own_channel());
    let mut chat = ChatClient::new(world.connect(&tls));
    assert_eq!(
        chat.status(StatusRequest {}).await.unwrap_err().code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn a_sandbox_may_attach_only_while_the_operator_enrols_it() {
    let world = World::start().await;
    let sandbox = runner(bot(), "resource-shell");
    assert_eq!(
        code_of(&world, &sandbox, "Link/Attach").await,
        Code::PermissionDenied
    );
    let tls = world.enrol(&sandbox).await;
    assert_eq!(
        code_over(&world, world.connect(&tls), "Link/Attach").await,
        Code::Ok
    );
}

#[tokio::test]
async fn a_session_stays_with_its_channel() {
    let world = World::start().await;
    world.model.script([Reply::text("hi")]);
    let session = world.say("hello").await.session();
    let mut chat = ChatClient::new(world.connect(&world.tls(&own_channel())));
    let mut events = chat
        .send(request(&session, "what did they say?"))
        .await
        .unwrap()
        .into_inner();
    let mut all = Vec::new();
    while let Some(event) = events.message().await.unwrap() {
        all.push(event);
    }
    assert_eq!(
        crate::support::world::Turn { events: all }.failed().code,
        "SessionRefused"
    );
    assert_eq!(world.model.seen().len(), 1);
}

#[tokio::test]
async fn a_session_is_not_gone_on_with_by_a_later_channel_of_the_same_name() {
    let world = World::start().await;
    world.model.script([Reply::text("hi"), Reply::text("what?")]);
    let mut sessions: Vec<String> = Vec::new();
    for uid in [UID, LATER_UID] {
        let tls = world.enrol(&channel_of(uid)).await;
        let session = sessions.first().cloned().unwrap_or_default();
        let mut chat = ChatClient::new(world.connect(&tls));
        let mut events = chat.send(request(&session, "hello")).await.unwrap().into_inner();
        let mut all = Vec::new();
        while let Some(event) = events.message().await.unwrap() {
            all.push(event);
        }
        let turn = crate::support::world::Turn { events: all };
        if uid == UID {
            sessions.push(turn.session());
        } else {
            assert_eq!(turn.failed().code, "SessionRefused");
        }
    }
}

#[tokio::test]
async fn the_guardian_explains_to_people_and_not_to_runners() {
    let world = World::start().await;
    let call = CheckRequest {
        tool: "list_issues".to_owned(),
        arguments_json: r#"{"owner":"evil","repo":"x"}"#.to_owned(),
    };
    let local = GuardianClient::new(world.local_channel())
        .check(call.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (local.verdict(), local.reason.as_str()),
        (Verdict::Deny, "OutOfScope")
    );
    assert!(local.trace_json.contains("acme/*"), "{}", local.trace_json);
    let connection = world.connect(&world.tls(&own_runner()));
    let remote = GuardianClient::new(connection)
        .check(call)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (remote.verdict(), remote.trace_json.as_str()),
        (Verdict::Deny, "")
    );
    let good = CheckRequest {
        tool: "list_issues".to_owned(),
        arguments_json: r#"{ "owner":"acme", "repo":"x" }"#.to_owned(),
    };
    let permitted = GuardianClient::new(world.local_channel())
        .check(good)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(permitted.verdict(), Verdict::Allow);
    assert_eq!(
        permitted.canonical_arguments_json,
        r#"{"owner":"acme","repo":"x"}"#
    );
}

#[tokio::test]
async fn the_audit_is_passed_through_whole() {
    let world = World::start().await;
    world.model.script([Reply::text("hi")]);
    world.say("hello").await.done();
    let mut audit = AuditClient::new(world.local_channel());
    let head = audit.head(HeadRequest {}).await.unwrap().into_inner();
    let mut records = audit.read(ReadRequest::default()).await.unwrap().into_inner();
    let mut verifier = monstrum_wire::audit::Verifier::default();
    while let Some(record) = records.message().await.unwrap() {
        verifier.push(&record).unwrap();
    }
    verifier.finish(head.sequence, &head.hash).unwrap();
}

#[tokio::test]
async fn the_loopback_port_has_no_link() {
    let world = World::start().await;
    let hello = FromRunner {
        message: Some(from_runner::Message::Hello(RunnerHello::default())),
    };
    let outcome = LinkClient::new(world.local_channel())
        .attach(tokio_stream::iter([hello]))
        .await;
    assert_eq!(outcome.unwrap_err().code(), Code::Unimplemented);
}
