//! Budgets of a bot and its workspace: on calls, and on questions to the model.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;

use bot::{binding, forge, permit, reason, source};
use monstrum_guardian::decision::{
    Admission, Call, CounterKey, Estimate, Facts, Reason, Reservation, Verdict,
};
use monstrum_guardian::source::{BotSource, Budget, BudgetOf, Counted};
use monstrum_guardian::{Engine, LoadError, compile};
use rstest::rstest;
use serde_json::{Value, json};

const LIST: Call<'static> = Call {
    tool: "list_issues",
    arguments: r#"{"owner":"acme","repo":"web"}"#,
};

fn budget(of: BudgetOf, counts: Counted, limit: u64) -> Budget {
    Budget {
        of,
        name: "daily".to_owned(),
        counts,
        limit,
        window_seconds: Some(86_400),
    }
}

fn bot_with(budgets: &[Budget], mut grant: Value) -> BotSource {
    grant["tools"] = json!(["list_issues"]);
    grant["scope"] = json!({"repository": ["acme/*"]});
    BotSource {
        budgets: budgets.to_vec(),
        ..source(vec![binding("code", &forge(), &[grant])])
    }
}

fn engine(budgets: &[Budget]) -> Engine {
    Engine::load(&compile(&bot_with(budgets, json!({}))).document).unwrap()
}

fn key(of: BudgetOf) -> CounterKey {
    let budget = "daily".to_owned();
    match of {
        BudgetOf::Bot => CounterKey::Bot {
            bot: bot::bot_name(),
            budget,
        },
        BudgetOf::Workspace => CounterKey::Workspace {
            namespace: "shop".to_owned(),
            budget,
        },
    }
}

fn used(uses: &[(BudgetOf, u64)]) -> Facts {
    Facts {
        used: uses.iter().map(|(of, amount)| (key(*of), *amount)).collect(),
        ..Facts::default()
    }
}

#[rstest]
#[case::room(&[(BudgetOf::Bot, 9), (BudgetOf::Workspace, 99)], None)]
#[case::bot_used_up(&[(BudgetOf::Bot, 10), (BudgetOf::Workspace, 0)], Some("the bot's budget daily is used up (10 calls in 1d)"))]
#[case::workspace_used_up(&[(BudgetOf::Bot, 0), (BudgetOf::Workspace, 100)], Some("the workspace's budget daily is used up (100 calls in 1d)"))]
#[case::beyond(&[(BudgetOf::Bot, u64::MAX), (BudgetOf::Workspace, 0)], Some("the bot's budget daily is used up (10 calls in 1d)"))]
#[case::bot_unknown(&[(BudgetOf::Workspace, 0)], Some("the use of the bot's budget daily is not known"))]
#[case::workspace_unknown(&[(BudgetOf::Bot, 0)], Some("the use of the workspace's budget daily is not known"))]
fn budgets_of_calls_hold(#[case] uses: &[(BudgetOf, u64)], #[case] expected: Option<&str>) {
    let engine = engine(&[
        budget(BudgetOf::Bot, Counted::Calls, 10),
        budget(BudgetOf::Workspace, Counted::Calls, 100),
    ]);
    let decision = engine.check(&LIST, &used(uses));
    match (&decision.verdict, expected) {
        (Verdict::Deny(denial), Some(message)) => {
            assert_eq!(
                (denial.reason, &*denial.message),
                (Reason::QuotaExceeded, message)
            );
        }
        (Verdict::Allow(permit), None) => {
            let reserve: Vec<_> = permit
                .reserve
                .iter()
                .map(|r| (r.key.clone(), r.amount, r.limit))
                .collect();
            assert_eq!(
                reserve,
                [(key(BudgetOf::Bot), 1, 10), (key(BudgetOf::Workspace), 1, 100)]
            );
        }
        (verdict, _) => panic!("{verdict:?}"),
    }
    let explained = engine.explain(&LIST, &used(uses));
    assert_eq!(explained.verdict, decision.verdict);
    let stopped = explained
        .trace
        .budgets
        .iter()
        .find_map(|budget| budget.stopped_by.as_deref());
    assert_eq!(stopped, expected);
    assert_eq!(engine.tools().len(), 1, "a budget never hides a tool");
}

/// What a tool call does not use does not stop it.
#[test]
fn a_tool_call_uses_neither_tokens_nor_money() {
    let engine = engine(&[
        budget(BudgetOf::Bot, Counted::Tokens, 0),
        budget(BudgetOf::Workspace, Counted::MicroUsd, 0),
    ]);
    let decision = engine.check(&LIST, &Facts::default());
    assert_eq!(permit(&decision).reserve, []);
}

#[test]
fn a_call_that_no_grant_covers_learns_nothing_of_budgets() {
    let engine = engine(&[budget(BudgetOf::Bot, Counted::Calls, 0)]);
    let call = Call {
        arguments: r#"{"owner":"initech","repo":"web"}"#,
        ..LIST
    };
    assert_eq!(
        reason(&engine.check(&call, &Facts::default())),
        Some(Reason::OutOfScope)
    );
}

#[test]
fn an_approval_is_not_asked_for_a_call_that_has_no_budget() {
    let source = bot_with(
        &[budget(BudgetOf::Bot, Counted::Calls, 1)],
        json!({"approval": [{}]}),
    );
    let engine = Engine::load(&compile(&source).document).unwrap();
    let decision = engine.check(&LIST, &used(&[(BudgetOf::Bot, 1)]));
    assert_eq!(reason(&decision), Some(Reason::QuotaExceeded));
    let decision = engine.check(&LIST, &used(&[(BudgetOf::Bot, 0)]));
    assert!(matches!(decision.verdict, Verdict::NeedsApproval(permit) if permit.reserve.len() == 1));
}

fn reserved(admission: Admission) -> Vec<(Counted, u64, u64)> {
    match admission {
        Admission::Admitted(reserve) => {
            let plain = |r: &Reservation| (r.counts, r.amount, r.limit);
            reserve.iter().map(plain).collect()
        }
        Admission::Denied(denial) => panic!("{denial:?}"),
    }
}

fn denied(admission: Admission) -> String {
    match admission {
        Admission::Denied(denial) => {
            assert_eq!(denial.reason, Reason::QuotaExceeded);
            denial.message.into_owned()
        }
        Admission::Admitted(reserve) => panic!("{reserve:?}"),
    }
}

const ESTIMATE: Estimate = Estimate {
    tokens: 1_000,
    micro_usd: 50_000,
};

#[test]
fn a_question_reserves_what_it_may_use_at_most() {
    let engine = engine(&[
        budget(BudgetOf::Bot, Counted::Tokens, 10_000),
        budget(BudgetOf::Workspace, Counted::MicroUsd, 1_000_000),
        Budget {
            name: "rate".to_owned(),
            ..budget(BudgetOf::Bot, Counted::Calls, 0)
        },
    ]);
    let facts = used(&[(BudgetOf::Bot, 9_000), (BudgetOf::Workspace, 950_000)]);
    assert_eq!(
        reserved(engine.admit(&ESTIMATE, &facts)),
        [
            (Counted::Tokens, 1_000, 10_000),
            (Counted::MicroUsd, 50_000, 1_000_000)
        ]
    );
    assert_eq!(engine.counters_of_requests().len(), 2);
    let one_more = used(&[(BudgetOf::Bot, 9_001), (BudgetOf::Workspace, 0)]);
    assert_eq!(
        denied(engine.admit(&ESTIMATE, &one_more)),
        "the bot's budget daily (10000 tokens in 1d) has 999 tokens left, and up to 1000 tokens may be needed"
    );
    let spent = used(&[(BudgetOf::Bot, 0), (BudgetOf::Workspace, 1_000_000)]);
    assert_eq!(
        denied(engine.admit(&ESTIMATE, &spent)),
        "the workspace's budget daily is used up (1.00 US dollars in 1d)"
    );
}

#[rstest]
#[case(&[])]
#[case(&[(BudgetOf::Workspace, 0)])]
fn unknown_use_admits_no_question(#[case] uses: &[(BudgetOf, u64)]) {
    let engine = engine(&[budget(BudgetOf::Bot, Counted::Tokens, u64::MAX)]);
    assert_eq!(
        denied(engine.admit(&ESTIMATE, &used(uses))),
        "the use of the bot's budget daily is not known"
    );
}

#[test]
fn an_estimate_without_bound_fits_nowhere() {
    let engine = engine(&[budget(BudgetOf::Bot, Counted::Tokens, u64::MAX)]);
    let boundless = Estimate {
        tokens: u64::MAX,
        micro_usd: u64::MAX,
    };
    denied(engine.admit(&boundless, &used(&[(BudgetOf::Bot, 1)])));
}

#[test]
fn without_budgets_a_question_reserves_nothing_and_without_policy_it_is_denied() {
    assert_eq!(reserved(engine(&[]).admit(&ESTIMATE, &Facts::default())), []);
    let empty = Engine::empty(bot::bot_name());
    assert!(matches!(
        empty.admit(&ESTIMATE, &Facts::default()),
        Admission::Denied(denial) if denial.reason == Reason::NoPolicy
    ));
}

#[rstest]
#[case::twice(&[budget(BudgetOf::Bot, Counted::Calls, 1), budget(BudgetOf::Bot, Counted::Tokens, 1)], "budgets[1].name")]
#[case::nameless(&[Budget { name: String::new(), ..budget(BudgetOf::Bot, Counted::Calls, 1) }], "budgets[0].name")]
#[case::no_window(&[Budget { window_seconds: Some(0), ..budget(BudgetOf::Bot, Counted::Calls, 1) }], "budgets[0].windowSeconds")]
fn a_budget_that_can_not_be_kept_permits_nothing(#[case] budgets: &[Budget], #[case] field: &str) {
    let compilation = compile(&bot_with(budgets, json!({})));
    assert_eq!(compilation.bot_faults[0].field, field);
    assert!(compilation.document.bindings.is_empty());
    assert!(matches!(
        Engine::load(&compilation.document),
        Err(LoadError::Bot { field: found, .. }) if found.starts_with("budgets[")
    ));
}

/// A policy that this engine reads without its budgets would be one whose budgets are not kept.
#[test]
fn budgets_are_part_of_the_digest_and_survive_the_encoding() {
    let with = compile(&bot_with(&[budget(BudgetOf::Bot, Counted::Calls, 1)], json!({}))).document;
    let without = compile(&bot_with(&[], json!({}))).document;
    assert_ne!(with.digest(), without.digest());
    let decoded = monstrum_guardian::document::Document::from_bytes(&with.to_bytes()).unwrap();
    assert_eq!(decoded, with);
}
