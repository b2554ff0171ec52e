//! Effects that only appear while a call runs: decided and recorded while it does, for the runner that runs it.

use std::sync::Arc;

use monstrum_service::Channel;
use monstrum_wire::guardian::guardian_client::GuardianClient;
use monstrum_wire::guardian::{CheckEffectRequest, CheckResponse, Verdict};
use tokio::sync::Notify;
use tonic::{Code, Status};

use crate::support::model::Reply;
use crate::support::policies::TOKEN;
use crate::support::runner::Act;
use crate::support::world::{World, own_runner, until};

struct Asking {
    guardian: GuardianClient<Channel>,
}

impl Asking {
    fn of(world: &World) -> Self {
        Self {
            guardian: GuardianClient::new(world.connect(&world.tls(&own_runner()))),
        }
    }

    async fn ask(&mut self, call_id: &str, owner: &str) -> Result<CheckResponse, Status> {
        let request = CheckEffectRequest {
            call_id: call_id.to_owned(),
            tool: "list_issues".to_owned(),
            arguments_json: format!(r#"{{ "owner":"{owner}", "repo":"x" }}"#),
        };
        self.guardian
            .check_effect(request)
            .await
            .map(tonic::Response::into_inner)
    }
}

/// Asks `asking` while a call runs, whose id it gets.
async fn while_a_call_runs(world: &World, asking: impl AsyncFnOnce(&str)) {
    let gate = Arc::new(Notify::new());
    world.runner.script([Act::Wait(gate.clone(), b"x".to_vec())]);
    world.model.script([
        Reply::call("list_issues", r#"{"owner":"acme","repo":"web"}"#),
        Reply::text("ok"),
    ]);
    let asked = async {
        until(|| !world.runner.executed().is_empty()).await;
        asking(&world.runner.executed()[0].call_id).await;
        gate.notify_one();
    };
    let (turn, ()) = tokio::join!(world.say("list"), asked);
    assert_eq!(turn.done().text, "ok");
}

#[tokio::test]
async fn the_decision_on_an_effect_is_recorded_with_the_call_that_it_follows_from() {
    let world = World::start().await;
    let mut asking = Asking::of(&world);
    while_a_call_runs(&world, async |call_id| {
        let answer = asking.ask(call_id, "acme").await.unwrap();
        assert_eq!(answer.verdict(), Verdict::Allow);
        let answer = asking.ask(call_id, &format!("evil-{TOKEN}")).await.unwrap();
        assert_eq!(
            (answer.verdict(), answer.trace_json.as_str()),
            (Verdict::Deny, "")
        );

        let records = world.ledger.records("decision");
        let [allowed, denied] = records.as_slice() else {
            panic!("{records:?}")
        };
        for record in &records {
            assert_eq!(
                (record.call_id.as_str(), record.tool.as_str()),
                (call_id, "list_issues")
            );
            assert!(call_id.starts_with(&record.turn) && !record.turn.is_empty());
        }
        assert_eq!(
            (allowed.verdict.as_str(), allowed.arguments_json.as_str()),
            ("allow", r#"{"owner":"acme","repo":"x"}"#)
        );
        assert!(!allowed.grant.is_empty());
        assert_eq!(denied.verdict, "deny");
        assert!(denied.detail_json.contains("evil-[secret]"), "{denied:?}");
    })
    .await;
}

#[tokio::test]
async fn an_effect_that_can_not_be_recorded_is_not_permitted() {
    let world = World::start().await;
    let mut asking = Asking::of(&world);
    while_a_call_runs(&world, async |call_id| {
        world.ledger.set_down(true);
        let refused = asking.ask(call_id, "acme").await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        world.ledger.set_down(false);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_told_of_effects_without_a_call_or_without_end() {
    let world = World::start().await;
    let mut asking = Asking::of(&world);
    let refused = asking.ask("no-such-call", "acme").await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    while_a_call_runs(&world, async |call_id| {
        for _ in 0..16 {
            asking.ask(call_id, "acme").await.unwrap();
        }
        let refused = asking.ask(call_id, "acme").await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
    })
    .await;
    assert_eq!(world.ledger.records("decision").len(), 16);
}
