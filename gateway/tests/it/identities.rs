//! Every method of the port between pods, called by every identity; and what the loopback port offers.

use monstrum_wire::chat::StatusRequest;
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::guardian::guardian_client::GuardianClient;
use monstrum_wire::guardian::{CheckRequest, ListToolsRequest, Verdict};
use monstrum_wire::identity::{BotName, Identity};
use monstrum_wire::ledger::audit_client::AuditClient;
use monstrum_wire::ledger::{HeadRequest, ReadRequest};
use monstrum_wire::runner::link_client::LinkClient;
use monstrum_wire::runner::{FromRunner, GatewaysRequest, RunnerHello, from_runner};
use tonic::Code;

use crate::support::model::Reply;
use crate::support::policies::Held;
use crate::support::world::{World, bot, request};

fn bot_named(namespace: &str, name: &str) -> BotName {
    BotName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn runner(bot: BotName, runner: &str) -> Identity {
    Identity::Runner {
        bot,
        runner: runner.to_owned(),
    }
}

fn channel(namespace: &str) -> Identity {
    Identity::Channel {
        namespace: namespace.to_owned(),
        name: "inbox".to_owned(),
    }
}

fn everybody() -> Vec<Identity> {
    vec![
        Identity::Operator,
        Identity::Ledger,
        Identity::Gateway(bot()),
        Identity::Gateway(bot_named("team-a", "other")),
        runner(bot(), "default"),
        runner(bot(), "resource-shell"),
        runner(bot_named("team-a", "other"), "default"),
        runner(bot_named("team-b", "triage"), "default"),
        channel("team-a"),
        channel("team-b"),
    ]
}

async fn code_of(world: &World, identity: &Identity, method: &str) -> Code {
    let connection = world.tls(identity).channel(&world.mutual).unwrap();
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
    let own_channel = channel("team-a");
    let own_runners = [runner(bot(), "default"), runner(bot(), "resource-shell")];
    for identity in everybody() {
        for method in [
            "Chat/Send",
            "Chat/Status",
            "Guardian/Check",
            "Guardian/ListTools",
            "Link/Attach",
            "Link/Gateways",
            "Audit/Head",
        ] {
            let expected = match method {
                "Audit/Head" => Code::Unimplemented,
                "Chat/Send" | "Chat/Status" if identity == own_channel => Code::Ok,
                "Guardian/Check" | "Guardian/ListTools" if own_runners.contains(&identity) => Code::Ok,
                // The sandbox is not named by this policy.
                "Link/Attach" | "Link/Gateways" if identity == own_runners[0] => Code::Ok,
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

#[tokio::test]
async fn a_certificate_of_another_authority_reaches_nothing() {
    let world = World::start().await;
    let other = monstrum_service::authority::Authority::generate("monstrum.local").unwrap();
    let tls = crate::support::world::tls(&other, &channel("team-a"));
    let mut chat = ChatClient::new(tls.channel(&world.mutual).unwrap());
    assert_eq!(
        chat.status(StatusRequest {}).await.unwrap_err().code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn a_sandbox_may_attach_only_while_the_policy_names_it() {
    let world = World::start().await;
    let sandbox = runner(bot(), "resource-shell");
    assert_eq!(
        code_of(&world, &sandbox, "Link/Attach").await,
        Code::PermissionDenied
    );
    let mut settings = world.settings();
    settings.runners = vec!["resource-shell".to_owned()];
    world.enforce_with(&[Held::default()], settings, 60).await;
    assert_eq!(code_of(&world, &sandbox, "Link/Attach").await, Code::Ok);
}

#[tokio::test]
async fn a_session_stays_with_its_channel() {
    let world = World::start().await;
    world.model.script([Reply::text("hi")]);
    let session = world.say("hello").await.session();
    let mut chat = ChatClient::new(world.tls(&channel("team-a")).channel(&world.mutual).unwrap());
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
    let connection = world
        .tls(&runner(bot(), "default"))
        .channel(&world.mutual)
        .unwrap();
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
