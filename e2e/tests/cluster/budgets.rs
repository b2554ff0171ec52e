//! Budgets: a bot stops where they end, says so, and goes on when they are raised.

use anyhow::Result;
use monstrum_e2e::harness::{BotSetup, Scripted, Workspace};
use serde_json::json;

/// A second bot with the same model and the same hold on the same resource.
const SCRIBE: &str = "
apiVersion: monstrum.dev/v1alpha1
kind: Bot
metadata: {name: scribe}
spec: {model: {provider: scripted, name: scripted-1}}
---
apiVersion: monstrum.dev/v1alpha1
kind: BotBinding
metadata: {name: scribe-work}
spec: {bot: scribe, resource: work, grants: [{operations: [issue.read], scope: {repository: ['acme/*']}}]}";

fn budget(budget: &str) -> String {
    format!("  budgets: [{budget}]")
}

/// A message upon which the model makes two calls, one after the other.
async fn script_two_looks(workspace: &Workspace) -> Result<String> {
    let message = format!("Look twice ({})", workspace.name());
    let look = || {
        [(
            "github_list_issues",
            json!({"owner": "acme", "repo": workspace.name()}),
        )]
    };
    let script = Scripted::default()
        .calls(&look())
        .calls(&look())
        .says("Done.")
        .when(&message);
    workspace.model().script(workspace.name(), &script).await?;
    Ok(message)
}

#[tokio::test]
async fn a_bot_with_a_budget_of_one_call_makes_one_and_says_why_not_more() -> Result<()> {
    let workspace = Workspace::create("calls").await?;
    BotSetup::triage()
        .bot(&budget("{name: hourly, counts: Calls, limit: 1, window: 1h}"))
        .install(&workspace)
        .await?;
    let message = script_two_looks(&workspace).await?;

    let turn = workspace.chat("triage", &message).await?;

    let allowed: Vec<_> = turn.decisions().iter().map(|decision| decision.allowed).collect();
    assert_eq!(allowed, [true, false], "{turn:#?}");
    assert_eq!(turn.decisions()[1].reason, "QuotaExceeded", "{turn:#?}");
    assert_eq!(
        turn.answer(),
        "Done.\n\nA call of github_list_issues was not made: the bot's budget hourly is used up (1 call in 1h).",
        "{turn:#?}"
    );
    let reached = workspace.github().recorded(workspace.name()).await?;
    assert_eq!(reached.len(), 1, "{reached:#?}");
    let records = workspace.audit("triage").await?;
    let denied: Vec<_> = records
        .iter()
        .filter(|record| record["verdict"] == "deny")
        .collect();
    assert_eq!(denied.len(), 1, "{records:#?}");
    assert_eq!(denied[0]["reason"], "QuotaExceeded");
    workspace.remove().await
}

#[tokio::test]
async fn a_bot_without_tokens_left_is_not_asked_until_its_budget_is_raised() -> Result<()> {
    let workspace = Workspace::create("tokens").await?;
    // One answer alone may have 1024 tokens.
    let setup = |limit: u32| {
        let tokens = format!("{{name: daily, counts: Tokens, limit: {limit}, window: 1d}}");
        BotSetup::triage().bot(&budget(&tokens))
    };
    setup(1000).install(&workspace).await?;
    let message = workspace.script_a_look().await?;

    let turn = workspace.chat("triage", &message).await?;

    let (code, sentence) = turn.failure().unwrap_or_default();
    assert_eq!(code, "BudgetExceeded", "{turn:#?}");
    assert!(
        sentence.contains("the bot's budget daily (1000 tokens in 1d) has 1000 tokens left"),
        "{sentence}"
    );
    let asked = workspace.model().recorded(workspace.name()).await?;
    assert!(asked.is_empty(), "{asked:#?}");
    let records = workspace.audit("triage").await?;
    assert!(
        records
            .iter()
            .any(|record| record["verdict"] == "deny" && record["reason"] == "QuotaExceeded"),
        "{records:#?}"
    );

    setup(1_000_000).install(&workspace).await?;
    let turn = workspace.chat("triage", &message).await?;
    assert_eq!(turn.answer(), "Done.", "{turn:#?}");
    workspace.remove().await
}

#[tokio::test]
async fn the_bots_of_a_workspace_share_its_budget() -> Result<()> {
    let workspace = Workspace::create("shared").await?;
    let shared = "
apiVersion: monstrum.dev/v1alpha1
kind: Workspace
metadata: {name: workspace}
spec:
  budgets: [{name: hourly, counts: Calls, limit: 1, window: 1h}]";
    let setup = BotSetup::triage();
    workspace
        .apply(&[shared, &setup.yaml(), SCRIBE].join("\n---\n"))
        .await?;
    for bot in ["triage", "scribe"] {
        workspace.bot_ready(bot).await?;
    }
    let message = workspace.script_a_look().await?;

    let first = workspace.chat("triage", &message).await?;
    let second = workspace.chat("scribe", &message).await?;

    assert!(
        first.decisions().iter().all(|decision| decision.allowed),
        "{first:#?}"
    );
    assert_eq!(second.decisions()[0].reason, "QuotaExceeded", "{second:#?}");
    assert!(
        second
            .answer()
            .contains("the workspace's budget hourly is used up"),
        "{second:#?}"
    );
    workspace.remove().await
}
