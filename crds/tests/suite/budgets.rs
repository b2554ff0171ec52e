//! Budgets of bots and workspaces: both count, and one that can't be kept stops the bot.

use monstrum_crds::conditions::Reason;
use monstrum_crds::convert::{self, BotConversion};
use monstrum_crds::object::Kind::{self, *};
use monstrum_guardian::source::{Budget, BudgetOf, Counted};
use rstest::rstest;
use serde_json::{Value, json};

use crate::scene::Scene;

fn convert(scene: &Scene, bot: &str) -> BotConversion {
    convert::bot(bot, &scene.world()).unwrap()
}

fn with(kind: Kind, name: &str, budgets: Value) -> Scene {
    let mut scene = Scene::new();
    scene.set(kind, name, "/spec/budgets", budgets);
    scene
}

#[test]
fn a_bot_has_its_own_budgets_and_those_of_its_workspace() {
    let mut scene = with(
        Workspace,
        "workspace",
        json!([{"name": "month", "counts": "MicroUsd", "limit": 5_000_000, "window": "30d"}]),
    );
    let rate = json!([{"name": "rate", "counts": "Calls", "limit": 30, "window": "1m"}]);
    scene.set(Bot, "triage", "/spec/budgets", rate);
    let conversion = convert(&scene, "triage");
    assert_eq!(conversion.faults, []);
    let budget = |of, name: &str, counts, limit, window| Budget {
        of,
        name: name.to_owned(),
        counts,
        limit,
        window_seconds: Some(window),
    };
    let month = budget(
        BudgetOf::Workspace,
        "month",
        Counted::MicroUsd,
        5_000_000,
        2_592_000,
    );
    assert_eq!(
        conversion.source.budgets,
        [budget(BudgetOf::Bot, "rate", Counted::Calls, 30, 60), month]
    );
    let compiled = monstrum_guardian::compile(&conversion.source);
    assert_eq!((compiled.faults, compiled.bot_faults), (Vec::new(), Vec::new()));
}

/// A workspace and its bot may each call a budget the same.
#[test]
fn equal_names_in_bot_and_workspace_are_two_budgets() {
    let daily = json!([{"name": "daily", "counts": "Calls", "limit": 30, "window": "1d"}]);
    let mut scene = with(Workspace, "workspace", daily.clone());
    scene.set(Bot, "triage", "/spec/budgets", daily);
    assert_eq!(convert(&scene, "triage").source.budgets.len(), 2);
}

#[rstest]
#[case::of_the_bot(Bot, "triage", Reason::Invalid)]
#[case::of_the_workspace(Workspace, "workspace", Reason::RefInvalid)]
fn a_budget_that_can_not_be_understood_stops_the_bot(
    #[case] kind: Kind,
    #[case] name: &str,
    #[case] reason: Reason,
) {
    let scene = with(
        kind,
        name,
        json!([{"name": "b", "counts": "Calls", "limit": 1, "window": "99999d"}]),
    );
    let conversion = convert(&scene, "triage");
    assert_eq!(conversion.source.bindings, []);
    assert_eq!(conversion.resolved, None);
    assert!(
        conversion.faults.iter().any(|fault| fault.kind == Bot
            && fault.field.starts_with("spec.budgets")
            && fault.reason == reason),
        "{:#?}",
        conversion.faults
    );
}

#[test]
fn money_is_not_counted_without_prices() {
    let money = json!([{"name": "month", "counts": "MicroUsd", "limit": 1, "window": "30d"}]);
    let mut scene = with(Workspace, "workspace", money);
    // The model of this bot has no prices, that of the other one does.
    let stopped = convert(&scene, "other");
    assert_eq!((stopped.resolved, stopped.source.bindings), (None, Vec::new()));
    assert!(
        stopped.faults[0]
            .message
            .contains("gives no prices of model \"large\"")
    );
    assert!(convert(&scene, "triage").resolved.is_some());
    let free = json!({"input": "0", "output": "0"});
    scene.set(ModelProvider, "models", "/spec/models/1/prices", free);
    assert!(convert(&scene, "other").resolved.is_some());
}
