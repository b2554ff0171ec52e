//! Budgets of a bot and of its workspace: reserved before an effect, settled after it, and a clear sentence when they are used up.

use monstrum_guardian::source::{Budget, BudgetOf, Counted};
use monstrum_wire::guardian::CheckRequest;
use monstrum_wire::guardian::guardian_client::GuardianClient;
use monstrum_wire::ledger::{Counter, CounterOf};

use crate::support::model::Reply;
use crate::support::world::{World, collect, request, until};

const LIST: &str = r#"{"owner":"acme","repo":"web"}"#;

fn budget(of: BudgetOf, counts: Counted, limit: u64) -> Budget {
    Budget {
        of,
        name: "daily".to_owned(),
        counts,
        limit,
        window_seconds: Some(86_400),
    }
}

/// What the ledger counts as used by someone else already.
fn spent(world: &World, of: CounterOf, amount: u64) {
    let counter = Counter {
        of: of.into(),
        quota: "daily".to_owned(),
        window_seconds: 86_400,
        amount,
        ..Counter::default()
    };
    world.ledger.state.lock().unwrap().settled.push(counter);
}

fn settled(world: &World) -> Vec<u64> {
    let state = world.ledger.state.lock().unwrap();
    state.settled.iter().map(|counter| counter.amount).collect()
}

#[tokio::test]
async fn a_budget_of_one_call_lets_one_of_many_parallel_calls_through_and_says_why() {
    let world = World::start().await;
    world
        .enforce_within(&[budget(BudgetOf::Bot, Counted::Calls, 1)])
        .await;
    let calls = ["a", "b", "c", "d"].map(|id| (id, "list_issues", LIST));
    world
        .model
        .script([Reply::calls(&calls), Reply::text("Here they are.")]);
    let turn = world.say("list").await;
    let decisions = turn.decisions();
    assert_eq!(decisions.iter().filter(|decision| decision.allowed).count(), 1);
    assert!(
        decisions
            .iter()
            .all(|decision| decision.allowed || decision.reason == "QuotaExceeded")
    );
    assert_eq!(world.runner.executed().len(), 1);
    assert_eq!(settled(&world), [1]);
    // In the next turn nobody races, and the engine itself says which budget it is.
    world
        .model
        .script([Reply::call("list_issues", LIST), Reply::text("I could not.")]);
    let turn = world.say("again").await;
    assert_eq!(turn.results()[0].content, "This call was refused.");
    assert_eq!(
        turn.done().text,
        "I could not.\n\nA call of list_issues was not made: the bot's budget daily is used up (1 call in 1d)."
    );
    let denied = world.ledger.records("decision");
    assert_eq!(denied.len(), 4);
    assert!(denied.iter().all(|record| record.reason == "QuotaExceeded"));
}

#[tokio::test]
async fn what_a_model_used_is_settled_and_what_was_reserved_beyond_it_comes_back() {
    let world = World::start().await;
    world
        .enforce_within(&[
            budget(BudgetOf::Bot, Counted::Tokens, 100_000),
            budget(BudgetOf::Workspace, Counted::MicroUsd, 1_000_000),
        ])
        .await;
    world.model.script([Reply::text("hello")]);
    let done = world.say("hello").await.done();
    let usage = done.usage.unwrap();
    let tokens = usage.input_tokens + usage.output_tokens;
    assert!(tokens > 0 && usage.cost_micro_usd > 0);
    assert_eq!(settled(&world), [tokens, usage.cost_micro_usd]);
    assert!(world.ledger.state.lock().unwrap().reservations.is_empty());
}

#[tokio::test]
async fn a_model_is_not_asked_when_the_workspaces_money_is_used_up() {
    let world = World::start().await;
    world
        .enforce_within(&[budget(BudgetOf::Workspace, Counted::MicroUsd, 50_000)])
        .await;
    spent(&world, CounterOf::Workspace, 50_000);
    world.model.script([Reply::text("never asked")]);
    let failed = world.say("hello").await.failed();
    assert_eq!(failed.code, "BudgetExceeded");
    assert_eq!(
        failed.message,
        "The bot can't ask its model: the workspace's budget daily is used up (0.05 US dollars in 1d). \
         It can go on when there is room again, or when an administrator raises the budget."
    );
    assert_eq!(world.model.seen().len(), 0);
    let denied = world.ledger.records("decision").remove(0);
    assert_eq!(
        (denied.verdict.as_str(), denied.reason.as_str()),
        ("deny", "QuotaExceeded")
    );
    assert!(
        denied.detail_json.contains("the workspace's budget daily"),
        "{}",
        denied.detail_json
    );
    assert_eq!(world.ledger.records("turn.finished")[0].reason, "BudgetExceeded");
}

#[tokio::test]
async fn a_request_that_could_use_more_than_is_left_is_not_sent() {
    let world = World::start().await;
    world
        .enforce_within(&[budget(BudgetOf::Bot, Counted::Tokens, 1_000)])
        .await;
    // The answer alone may have a thousand tokens.
    let failed = world.say("hello").await.failed();
    assert_eq!(failed.code, "BudgetExceeded");
    assert!(
        failed.message.contains("has 1000 tokens left, and up to "),
        "{}",
        failed.message
    );
    assert_eq!(world.model.seen().len(), 0);
}

#[tokio::test]
async fn budgets_that_the_ledger_can_not_tell_deny() {
    let world = World::start().await;
    world
        .enforce_within(&[budget(BudgetOf::Bot, Counted::Tokens, 1_000_000)])
        .await;
    world
        .ledger
        .blind
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let failed = world.say("hello").await.failed();
    assert_eq!(failed.code, "LedgerUnavailable");
    assert_eq!(world.model.seen().len(), 0);
}

#[tokio::test]
async fn an_answer_that_broke_off_counts_in_full_and_is_not_asked_for_again() {
    let world = World::start().await;
    world
        .enforce_within(&[budget(BudgetOf::Bot, Counted::Tokens, 1_000_000)])
        .await;
    let cut = Reply {
        cut: true,
        ..Reply::text("half an ans")
    };
    world.model.script([cut, Reply::text("never asked")]);
    assert_eq!(world.say("hello").await.failed().code, "ModelUnavailable");
    assert_eq!(world.model.seen().len(), 1);
    let settled = settled(&world);
    assert!(settled.len() == 1 && settled[0] > 1_000, "{settled:?}");
}

#[tokio::test]
async fn a_refused_request_costs_nothing_and_may_be_repeated() {
    let world = World::start().await;
    world
        .enforce_within(&[budget(BudgetOf::Bot, Counted::Tokens, 1_000_000)])
        .await;
    world
        .model
        .script([Reply::failing(503, "{}"), Reply::failing(400, "{}")]);
    assert_eq!(world.say("hello").await.failed().code, "ModelUnavailable");
    assert_eq!(world.model.seen().len(), 2);
    assert_eq!(settled(&world), [0]);
}

#[tokio::test]
async fn a_question_that_is_open_or_was_given_up_frees_nothing() {
    let world = World::start().await;
    world
        .enforce_within(&[budget(BudgetOf::Bot, Counted::Tokens, 4_000)])
        .await;
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let held = Reply {
        gate: Some(gate),
        ..Reply::text("too late")
    };
    world.model.script([held, Reply::text("never asked")]);
    let events = tokio::spawn(collect(world.local, request("", "hello")));
    until(|| world.model.seen().len() == 1).await;
    // Its reservation is open: whoever asks now finds it, whatever becomes of the first.
    let failed = world.say("and I?").await.failed();
    assert_eq!(failed.code, "BudgetExceeded");
    events.abort();
    let _ = events.await;
    until(|| !settled(&world).is_empty()).await;
    let failed = world.say("and now?").await.failed();
    assert_eq!(failed.code, "BudgetExceeded");
    assert_eq!(world.model.seen().len(), 1);
}

#[tokio::test]
async fn a_settlement_that_is_lost_frees_nothing() {
    let world = World::start().await;
    world
        .enforce_within(&[budget(BudgetOf::Bot, Counted::Calls, 1)])
        .await;
    world
        .ledger
        .refuse_settlements
        .store(true, std::sync::atomic::Ordering::SeqCst);
    for allowed in [true, false] {
        world
            .model
            .script([Reply::call("list_issues", LIST), Reply::text("ok")]);
        assert_eq!(world.say("list").await.decisions()[0].allowed, allowed);
    }
    assert_eq!(world.runner.executed().len(), 1);
    assert!(settled(&world).is_empty());
}

#[tokio::test]
async fn the_guardian_looks_up_what_is_used() {
    let world = World::start().await;
    world
        .enforce_within(&[budget(BudgetOf::Workspace, Counted::Calls, 2)])
        .await;
    let mut guardian = GuardianClient::new(world.local_channel());
    let request = CheckRequest {
        tool: "list_issues".to_owned(),
        arguments_json: LIST.to_owned(),
    };
    let room = guardian.check(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        (room.reason.as_str(), room.grant.as_str()),
        ("", "binding/github-0#0")
    );
    spent(&world, CounterOf::Workspace, 2);
    let full = guardian.check(request.clone()).await.unwrap().into_inner();
    assert_eq!(full.reason, "QuotaExceeded");
    assert_eq!(
        full.message,
        "the workspace's budget daily is used up (2 calls in 1d)"
    );
    world
        .ledger
        .blind
        .store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(guardian.check(request).await.is_err());
}
