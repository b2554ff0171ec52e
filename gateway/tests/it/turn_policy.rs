//! What a change of policy, its end, or the ledger's absence does to a turn.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use monstrum_wire::chat::StatusRequest;
use monstrum_wire::chat::chat_client::ChatClient;
use tokio::sync::Notify;

use crate::support::model::Reply;
use crate::support::policies::Held;
use crate::support::runner::Act;
use crate::support::world::{World, until};

const GOOD: &str = r#"{"owner":"acme","repo":"web"}"#;

#[tokio::test]
async fn a_revoked_tool_is_gone_from_the_next_request_of_the_same_turn() {
    let world = World::start().await;
    let gate = Arc::new(Notify::new());
    world.model.script([
        Reply {
            gate: Some(gate.clone()),
            ..Reply::call("list_issues", GOOD)
        },
        Reply::text("I can't any more."),
    ]);
    let revoking = async {
        until(|| world.model.seen().len() == 1).await;
        world.enforce(&[]).await;
        gate.notify_one();
    };
    let (turn, ()) = tokio::join!(world.say("list"), revoking);

    assert_eq!(turn.done().text, "I can't any more.");
    assert_eq!(turn.results()[0].content, "This call was refused.");
    assert_eq!(world.model.seen()[0].tools(), ["create_issue", "list_issues"]);
    assert_eq!(world.model.seen()[1].tools(), Vec::<String>::new());
    assert_eq!(world.runner.executed(), []);
}

#[tokio::test]
async fn a_narrowed_scope_holds_for_the_very_next_call() {
    let world = World::start().await;
    let gate = Arc::new(Notify::new());
    world.model.script([
        Reply::call("list_issues", GOOD),
        Reply {
            gate: Some(gate.clone()),
            ..Reply::call("list_issues", GOOD)
        },
        Reply::text("ok"),
    ]);
    let narrowing = async {
        until(|| world.model.seen().len() == 2).await;
        world
            .enforce(&[Held {
                repositories: vec!["acme/api"],
                ..Held::default()
            }])
            .await;
        gate.notify_one();
    };
    let (turn, ()) = tokio::join!(world.say("list"), narrowing);
    let allowed: Vec<bool> = turn.decisions().iter().map(|decision| decision.allowed).collect();
    assert_eq!(allowed, [true, false]);
    assert_eq!(world.runner.executed().len(), 1);
}

#[tokio::test]
async fn revocation_stops_a_call_that_runs() {
    let world = World::start().await;
    world.runner.script([Act::Hang]);
    world.model.script([
        Reply::call("create_issue", r#"{"owner":"acme","repo":"web","title":"x"}"#),
        Reply::text("ok"),
    ]);
    let revoking = async {
        until(|| world.runner.executed().len() == 1).await;
        world
            .enforce(&[Held {
                operations: vec!["issue.read"],
                ..Held::default()
            }])
            .await;
    };
    let (turn, ()) = tokio::join!(world.say("create"), revoking);
    assert_eq!(turn.results()[0].content, "This call was refused.");
    assert_eq!(world.runner.cancelled.lock().unwrap().len(), 1);
    assert_eq!(world.ledger.records("call.finished")[0].reason, "Revoked");
}

#[tokio::test]
async fn a_change_that_leaves_the_permission_alone_does_not_stop_a_running_call() {
    let world = World::start().await;
    let gate = Arc::new(Notify::new());
    world.runner.script([Act::Wait(gate.clone(), b"fine".to_vec())]);
    world
        .model
        .script([Reply::call("list_issues", GOOD), Reply::text("ok")]);
    let changing = async {
        until(|| world.runner.executed().len() == 1).await;
        world
            .enforce(&[Held {
                repositories: vec!["acme/*", "more/*"],
                ..Held::default()
            }])
            .await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        gate.notify_one();
    };
    let (turn, ()) = tokio::join!(world.say("list"), changing);
    assert_eq!(turn.results()[0].content, "fine");
}

#[tokio::test]
async fn a_rotated_credential_is_leased_anew_and_stops_calls_with_the_old_one() {
    let world = World::start().await;
    world.runner.script([Act::Hang]);
    world.model.script([
        Reply::call("create_issue", r#"{"owner":"acme","repo":"web","title":"x"}"#),
        Reply::call("list_issues", GOOD),
        Reply::text("ok"),
    ]);
    let rotating = async {
        until(|| world.runner.executed().len() == 1).await;
        let fields = vec![("token".to_owned(), "ghp_brand_new_token".to_owned())];
        world
            .operator
            .secrets
            .lock()
            .unwrap()
            .insert("binding/github-0".to_owned(), fields);
        world
            .enforce(&[Held {
                credential_version: Some("2"),
                ..Held::default()
            }])
            .await;
    };
    let (turn, ()) = tokio::join!(world.say("create"), rotating);
    assert_eq!(turn.results()[0].content, "This call was refused.");
    assert_eq!(
        world.runner.executed()[1].credential[0].value,
        b"ghp_brand_new_token"
    );
}

#[tokio::test]
async fn a_credential_is_leased_once_while_it_holds() {
    let world = World::start().await;
    world.model.script([
        Reply::call("list_issues", GOOD),
        Reply::call("list_issues", GOOD),
        Reply::text("ok"),
    ]);
    world.say("list").await.done();
    let leases = world.operator.leases.lock().unwrap().clone();
    assert_eq!(
        leases.iter().filter(|lease| *lease == "binding/github-0").count(),
        1
    );
    assert_eq!(leases.iter().filter(|lease| *lease == "provider/main").count(), 1);
}

#[tokio::test]
async fn when_the_lease_ends_everything_is_denied_until_the_operator_is_back() {
    let world = World::start().await;
    let gate = Arc::new(Notify::new());
    world.operator.renews.store(false, Ordering::SeqCst);
    world.enforce_with(&[Held::default()], world.settings(), 2).await;
    world.model.script([Reply {
        gate: Some(gate.clone()),
        ..Reply::call("list_issues", GOOD)
    }]);
    let waiting = async {
        until(|| world.model.seen().len() == 1).await;
        tokio::time::sleep(Duration::from_millis(2300)).await;
        gate.notify_one();
    };
    let (turn, ()) = tokio::join!(world.say("list"), waiting);
    assert_eq!(turn.decisions()[0].reason, "NoPolicy");
    assert_eq!(turn.failed().code, "NoPolicy");
    assert_eq!(world.say("and now?").await.failed().code, "NoPolicy");
    let status = ChatClient::new(world.local_channel())
        .status(StatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (status.lease_seconds_left, status.policy_digest.as_str()),
        (0, "")
    );

    world.operator.renews.store(true, Ordering::SeqCst);
    world.enforce(&[Held::default()]).await;
    world.model.script([Reply::text("back")]);
    assert_eq!(world.say("and now?").await.done().text, "back");
    until(|| world.ledger.records("policy.lapsed").len() == 1).await;
}

#[tokio::test]
async fn a_policy_that_can_not_be_used_denies_and_is_acknowledged_with_its_fault() {
    let world = World::start().await;
    let ack = world.operator.publish(b"{}".to_vec(), world.settings(), 60).await;
    assert!(ack.fault.contains("permissions"), "{}", ack.fault);
    assert_eq!(world.say("hello").await.failed().code, "NoPolicy");
    let ack = world.enforce(&[Held::default()]).await;
    assert_eq!(ack.fault, "");
}

#[tokio::test]
async fn before_the_first_policy_nothing_is_answered_and_nothing_is_ready() {
    let world = World::bare().await;
    assert_eq!(world.say("hello").await.failed().code, "NoPolicy");
    assert_eq!(world.model.seen().len(), 0);
    assert!(
        world
            .service
            .readiness()
            .reasons()
            .contains(&"no policy".to_owned())
    );
    world.enforce(&[]).await;
    until(|| world.service.readiness().reasons().is_empty()).await;
}

#[tokio::test]
async fn without_the_ledger_no_turn_begins() {
    let world = World::start().await;
    world.ledger.set_down(true);
    assert_eq!(world.say("hello").await.failed().code, "LedgerUnavailable");
    assert_eq!(world.model.seen().len(), 0);
    world.ledger.set_down(false);
    world.model.script([Reply::text("hi")]);
    assert_eq!(world.say("hello").await.done().text, "hi");
}

#[tokio::test]
async fn a_call_that_can_not_be_recorded_is_denied() {
    let world = World::start().await;
    world.ledger.down_at_start.store(0, Ordering::SeqCst);
    world.model.script([Reply::call(
        "create_issue",
        r#"{"owner":"acme","repo":"web","title":"x"}"#,
    )]);
    let turn = world.say("create").await;
    assert_eq!(turn.decisions()[0].reason, "Internal");
    assert_eq!(world.runner.executed(), []);
    assert_eq!(turn.failed().code, "LedgerUnavailable");
}

#[tokio::test]
async fn a_call_whose_end_can_not_be_recorded_ends_the_turn_and_is_unknown_afterwards() {
    let world = World::start().await;
    world.ledger.refuse_finish.store(true, Ordering::SeqCst);
    world.model.script([Reply::call(
        "create_issue",
        r#"{"owner":"acme","repo":"web","title":"x"}"#,
    )]);
    let turn = world.say("create").await;
    assert_eq!(turn.failed().code, "LedgerUnavailable");
    assert_eq!(world.runner.executed().len(), 1);

    world.ledger.refuse_finish.store(false, Ordering::SeqCst);
    world.model.script([Reply::text("I don't know.")]);
    let next = world
        .send(crate::support::world::request(&turn.session(), "well?"))
        .await;
    assert!(
        next.done()
            .text
            .contains("It is not known whether these calls took effect: create_issue."),
        "{next:?}"
    );
    assert_eq!(world.runner.executed().len(), 1, "it must not run twice");
    assert_eq!(world.ledger.outcomes(), [Some("unknown".to_owned())]);
    let told = world.model.seen()[1].json()["messages"][3]["content"].to_string();
    assert!(
        told.contains("It is not known whether the call took effect"),
        "{told}"
    );
}

#[tokio::test]
async fn leased_credentials_serve_while_the_vault_is_away() {
    let world = World::start().await;
    world.model.script([
        Reply::call("list_issues", GOOD),
        Reply::text("a"),
        Reply::call("list_issues", GOOD),
        Reply::text("b"),
    ]);
    assert_eq!(world.say("list").await.done().text, "a");
    world.operator.vault_down.store(true, Ordering::SeqCst);
    assert_eq!(world.say("list").await.done().text, "b");
    assert_eq!(world.runner.executed().len(), 2);
}

#[tokio::test]
async fn without_the_models_key_the_turn_says_so() {
    let world = World::start().await;
    world.operator.vault_down.store(true, Ordering::SeqCst);
    assert_eq!(world.say("hello").await.failed().code, "KeyUnavailable");
    assert_eq!(world.model.seen().len(), 0);
}

#[tokio::test]
async fn the_models_key_is_not_sent_where_it_may_not_go() {
    for hosts in [
        vec![],
        vec!["models.example.com".to_owned()],
        vec!["127.0.0.1:*".to_owned()],
    ] {
        let world = World::bare().await;
        world.operator.hosts.lock().unwrap().clone_from(&hosts);
        world.enforce(&[Held::default()]).await;
        assert_eq!(
            world.say("hello").await.failed().code,
            "KeyUnavailable",
            "{hosts:?}"
        );
        assert_eq!(world.model.seen().len(), 0, "{hosts:?}");
    }
}

#[tokio::test]
async fn a_runner_is_told_where_the_credential_may_go_by_the_lease() {
    let world = World::start().await;
    world
        .model
        .script([Reply::call("list_issues", GOOD), Reply::text("a")]);
    world.say("list").await;
    let hosts = world.operator.hosts.lock().unwrap().clone();
    assert_eq!(world.runner.executed()[0].credential_hosts, hosts);
}

#[tokio::test]
async fn two_bindings_of_one_type_have_prefixes_and_their_own_credentials() {
    let world = World::start().await;
    world
        .enforce(&[
            Held::default(),
            Held {
                repositories: vec!["beta/*"],
                ..Held::default()
            },
        ])
        .await;
    world.model.script([Reply::text("hi")]);
    world.say("hello").await.done();
    let tools = world.model.seen()[0].tools();
    assert_eq!(tools.len(), 4, "{tools:?}");
    let second = tools
        .iter()
        .rfind(|tool| tool.ends_with("list_issues"))
        .unwrap()
        .clone();
    let system = world.model.seen()[0].json()["messages"][0]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        system.starts_with("You triage issues.") && system.contains("hub-1"),
        "{system}"
    );
    world.model.script([
        Reply::call(&second, r#"{"owner":"beta","repo":"x"}"#),
        Reply::text("ok"),
    ]);
    assert_eq!(world.say("list").await.done().text, "ok");
    assert_eq!(world.runner.executed()[0].tool, "list_issues");
    assert_eq!(
        world.runner.executed()[0].credential[0].value,
        b"other-token-value"
    );
}
