//! Effects that only appear while a call runs: decided and recorded while it does, for the runner that runs it.

use std::sync::Arc;

use monstrum_guardian::source::{Budget, BudgetOf, Counted, Quota};
use monstrum_service::Channel;
use monstrum_wire::guardian::guardian_client::GuardianClient;
use monstrum_wire::guardian::{CheckEffectRequest, CheckResponse, Verdict};
use tokio::sync::Notify;
use tonic::{Code, Status};

use crate::support::model::Reply;
use crate::support::policies::{Held, TOKEN};
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
        self.ask_of("list_issues", call_id, owner).await
    }

    async fn ask_of(&mut self, tool: &str, call_id: &str, owner: &str) -> Result<CheckResponse, Status> {
        let request = CheckEffectRequest {
            call_id: call_id.to_owned(),
            tool: tool.to_owned(),
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
    while_a_call_of("list_issues", world, asking).await;
}

async fn while_a_call_of(tool: &str, world: &World, asking: impl AsyncFnOnce(&str)) {
    let gate = Arc::new(Notify::new());
    world.runner.script([Act::Wait(gate.clone(), b"x".to_vec())]);
    world.model.script([
        Reply::call(tool, r#"{"owner":"acme","repo":"web"}"#),
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

fn settled(world: &World) -> Vec<(String, u64)> {
    let state = world.ledger.state.lock().unwrap();
    let counters = state.settled.iter();
    counters
        .map(|counter| (format!("{}/{}", counter.binding, counter.quota), counter.amount))
        .collect()
}

fn quota(limit: u64) -> Quota {
    Quota {
        name: "few".to_owned(),
        counts: Counted::Calls,
        limit,
        window_seconds: Some(3600),
    }
}

/// A redirect to what the same counters count is the call that is under way.
#[tokio::test]
async fn the_last_call_of_a_quota_is_not_refused_for_its_own_redirect() {
    let world = World::start().await;
    let mut asking = Asking::of(&world);
    world
        .enforce(&[Held {
            quotas: vec![quota(1)],
            ..Held::default()
        }])
        .await;
    while_a_call_runs(&world, async |call_id| {
        for _ in 0..2 {
            let answer = asking.ask(call_id, "acme").await.unwrap();
            assert_eq!(answer.verdict(), Verdict::Allow, "{answer:?}");
        }
    })
    .await;
    assert_eq!(settled(&world), [("github-0/few".to_owned(), 1)]);

    world.model.script([
        Reply::call("list_issues", r#"{"owner":"acme","repo":"web"}"#),
        Reply::text("no"),
    ]);
    let turn = world.say("again").await;
    assert_eq!(
        turn.decisions()[0].reason,
        "QuotaExceeded",
        "the quota counts all the same"
    );
}

#[tokio::test]
async fn the_last_call_of_a_budget_is_not_refused_for_its_own_redirect() {
    let world = World::start().await;
    let mut asking = Asking::of(&world);
    let budget = Budget {
        of: BudgetOf::Bot,
        name: "daily".to_owned(),
        counts: Counted::Calls,
        limit: 1,
        window_seconds: Some(86_400),
    };
    world.enforce_within(&[budget]).await;
    while_a_call_runs(&world, async |call_id| {
        let answer = asking.ask(call_id, "acme").await.unwrap();
        assert_eq!(answer.verdict(), Verdict::Allow, "{answer:?}");
    })
    .await;
    assert_eq!(settled(&world), [("/daily".to_owned(), 1)]);
}

/// A target could otherwise lead a call around a quota by sending it on.
#[tokio::test]
async fn a_redirect_to_what_another_quota_counts_is_one_call_of_that_quota() {
    let world = World::start().await;
    let mut asking = Asking::of(&world);
    let few = Held {
        quotas: vec![quota(1)],
        ..Held::default()
    };
    world.enforce(&[Held::default(), few]).await;
    while_a_call_of("hub-0__list_issues", &world, async |call_id| {
        let mut verdicts = Vec::new();
        for _ in 0..2 {
            let answer = asking
                .ask_of("hub-1__list_issues", call_id, "acme")
                .await
                .unwrap();
            verdicts.push((answer.verdict(), answer.reason));
        }
        let expected = [
            (Verdict::Allow, String::new()),
            (Verdict::Deny, "QuotaExceeded".to_owned()),
        ];
        assert_eq!(verdicts, expected);
    })
    .await;
    assert_eq!(settled(&world), [("github-1/few".to_owned(), 1)]);
}
