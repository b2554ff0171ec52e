//! Validity windows, quotas, approval, and what a trace tells.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;

use bot::{binding, engine, forge, permit, reason};
use monstrum_guardian::Engine;
use monstrum_guardian::decision::{Call, CounterKey, Decision, Facts, Reason, Verdict};
use rstest::rstest;
use serde_json::{Value, json};

const LIST: Call<'static> = Call {
    tool: "list_issues",
    arguments: r#"{"owner":"acme","repo":"web"}"#,
};
const CREATE: Call<'static> = Call {
    tool: "create_issue",
    arguments: r#"{"owner":"acme","repo":"web","title":"x"}"#,
};

fn with_grants(grants: &[Value]) -> Engine {
    let scoped: Vec<_> = grants
        .iter()
        .map(|grant| {
            let mut grant = grant.clone();
            grant["scope"] = json!({"repository": ["acme/*"]});
            if grant.get("tools").is_none() {
                grant["tools"] = json!(["*_issue*"]);
            }
            grant
        })
        .collect();
    engine(vec![binding("code", &forge(), &scoped)])
}

fn at(time: &str) -> Facts {
    Facts {
        now: time.parse().unwrap(),
        ..Facts::default()
    }
}

#[rstest]
#[case("2026-01-01T00:00:00Z", None)]
#[case("2026-01-31T23:59:59.999999999Z", None)]
#[case("2025-12-31T23:59:59.999999999Z", Some(Reason::NotValidNow))]
#[case("2026-02-01T00:00:00Z", Some(Reason::NotValidNow))]
fn validity_is_half_open(#[case] now: &str, #[case] expected: Option<Reason>) {
    let engine = with_grants(&[
        json!({"validity": {"notBefore": "2026-01-01T00:00:00Z", "notAfter": "2026-02-01T00:00:00Z"}}),
    ]);
    assert_eq!(reason(&engine.check(&LIST, &at(now))), expected);
    assert_eq!(engine.tools().len(), 2, "time never hides a tool");
}

fn used(grant: usize, quota: &str, amount: u64) -> (CounterKey, u64) {
    let key = CounterKey::Grant {
        bot: bot::bot_name(),
        binding: "code".to_owned(),
        grant: format!("binding/code#{grant}"),
        quota: quota.to_owned(),
    };
    (key, amount)
}

fn quota(name: &str, counts: &str, limit: u64) -> Value {
    json!({"name": name, "counts": counts, "limit": limit, "windowSeconds": 3600})
}

#[rstest]
#[case::room(&[used(0, "calls", 9)], None)]
#[case::used_up(&[used(0, "calls", 10)], Some(Reason::QuotaExceeded))]
#[case::beyond(&[used(0, "calls", u64::MAX)], Some(Reason::QuotaExceeded))]
#[case::unknown(&[], Some(Reason::QuotaExceeded))]
#[case::of_another_grant(&[used(1, "calls", 0)], Some(Reason::QuotaExceeded))]
fn quotas_hold(#[case] facts: &[(CounterKey, u64)], #[case] expected: Option<Reason>) {
    let engine = with_grants(&[json!({"quotas": [quota("calls", "Calls", 10)]})]);
    let facts = Facts {
        used: facts.iter().cloned().collect(),
        ..Facts::default()
    };
    let decision = engine.check(&LIST, &facts);
    assert_eq!(reason(&decision), expected);
    if expected.is_none() {
        let reservation = &permit(&decision).reserve[0];
        assert_eq!(
            (reservation.amount, reservation.limit, reservation.window_seconds),
            (1, 10, Some(3600))
        );
        assert_eq!(reservation.key, used(0, "calls", 0).0);
    }
}

#[test]
fn every_quota_of_the_grant_must_have_room() {
    let engine =
        with_grants(&[json!({"quotas": [quota("calls", "Calls", 10), quota("money", "MicroUsd", 500)]})]);
    let facts = |calls, money| Facts {
        used: [used(0, "calls", calls), used(0, "money", money)]
            .into_iter()
            .collect(),
        ..Facts::default()
    };
    let amounts: Vec<_> = permit(&engine.check(&LIST, &facts(1, 100)))
        .reserve
        .iter()
        .map(|r| r.amount)
        .collect();
    assert_eq!(
        amounts,
        [1, 400],
        "what a call costs is not known, so all that is left is reserved"
    );
    assert_eq!(
        reason(&engine.check(&LIST, &facts(1, 500))),
        Some(Reason::QuotaExceeded)
    );
    assert_eq!(
        reason(&engine.check(&LIST, &facts(10, 0))),
        Some(Reason::QuotaExceeded)
    );
}

#[test]
fn another_grant_may_still_permit() {
    let engine = with_grants(&[json!({"quotas": [quota("calls", "Calls", 1)]}), json!({})]);
    assert_eq!(
        permit(&engine.check(&LIST, &Facts::default())).grant,
        "binding/code#1"
    );
}

fn approval_grant(decision: &Decision) -> Option<&str> {
    match &decision.verdict {
        Verdict::NeedsApproval(permit) => Some(&permit.grant),
        Verdict::Allow(_) | Verdict::Deny(_) => None,
    }
}

#[rstest]
#[case::always(json!([{}]), true, true)]
#[case::by_risk(json!([{"risk": "Medium"}]), false, true)]
#[case::by_higher_risk(json!([{"risk": "High"}]), false, false)]
#[case::by_operation(json!([{"operations": ["issue.create"]}]), false, true)]
#[case::by_prefix(json!([{"operations": ["issue.*"]}]), true, true)]
#[case::both_must_hold(json!([{"risk": "High", "operations": ["issue.create"]}]), false, false)]
#[case::any_rule(json!([{"risk": "High"}, {"operations": ["issue.read"]}]), true, false)]
fn approval(#[case] rules: Value, #[case] list: bool, #[case] create: bool) {
    let engine = with_grants(&[json!({"approval": rules})]);
    assert_eq!(
        approval_grant(&engine.check(&LIST, &Facts::default())).is_some(),
        list
    );
    assert_eq!(
        approval_grant(&engine.check(&CREATE, &Facts::default())).is_some(),
        create
    );
}

#[test]
fn a_grant_without_approval_comes_first() {
    let engine = with_grants(&[json!({"approval": [{}]}), json!({"tools": ["list_issues"]})]);
    assert_eq!(
        permit(&engine.check(&LIST, &Facts::default())).grant,
        "binding/code#1"
    );
    assert_eq!(
        approval_grant(&engine.check(&CREATE, &Facts::default())),
        Some("binding/code#0")
    );
}

#[test]
fn a_trace_explains_every_grant() {
    let engine = engine(vec![binding(
        "code",
        &forge(),
        &[
            json!({"tools": ["read_file"], "scope": {"repository": ["acme/web"], "path": ["docs/**", "*.md"]}}),
            json!({"tools": ["read_file"], "scope": {"repository": ["acme/*"], "path": ["src/**"]},
               "validity": {"notAfter": "2026-01-01T00:00:00Z"}}),
            json!({"tools": ["whoami"]}),
        ],
    )]);
    let call = Call {
        tool: "read_file",
        arguments: r#"{"owner":"acme","repo":"web","path":"./src/x"}"#,
    };
    let decision = engine.explain(&call, &at("2026-06-01T00:00:00Z"));
    insta::assert_json_snapshot!(decision);
    assert_eq!(
        engine.check(&call, &at("2026-06-01T00:00:00Z")).verdict,
        decision.verdict
    );
}
