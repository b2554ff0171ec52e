//! The boundary of a workspace: refused at admission with the smallest example, and taken away when it is narrowed later.

use std::time::Duration;

use anyhow::Result;
use monstrum_e2e::harness::{BotSetup, Workspace, wait};
use serde_json::Value;

/// A Workspace under which bots may read issues and write comments in these repositories.
fn bounded(repository: &str) -> String {
    format!(
        "
apiVersion: monstrum.dev/v1alpha1
kind: Workspace
metadata: {{name: workspace}}
spec:
  boundary:
  - resourceTypes: [github]
    operations: [issue.read, comment.write]
    scope: {{repository: ['{repository}']}}"
    )
}

async fn bound(workspace: &Workspace, repository: &str) -> Result<()> {
    workspace.apply(&bounded(repository)).await?;
    workspace
        .condition("workspace", "workspace", "Accepted", "True")
        .await
        .map(drop)
}

/// Waits until the bot's gateways enforce a policy with so many tools.
async fn sees_tools(workspace: &Workspace, is_right: fn(i64) -> bool) -> Result<()> {
    let enforced = |bot: &Value| {
        let status = &bot["status"];
        status["tools"].as_i64().is_some_and(is_right) && status["policyDigest"] == status["enforcedDigest"]
    };
    let ask = || workspace.get("bot", "triage");
    wait::until("the bot's tools", Duration::from_secs(60), ask, enforced)
        .await
        .map(drop)
}

#[tokio::test]
async fn a_binding_beyond_the_boundary_is_refused_with_the_smallest_example() -> Result<()> {
    let workspace = Workspace::create("boundary").await?;
    bound(&workspace, "acme/*").await?;
    BotSetup::triage().install(&workspace).await?;
    let wider = "[{operations: [issue.read], scope: {repository: ['acme/web', '*/web']}}]";
    let told = workspace
        .cluster()
        .apply_refused(workspace.name(), &BotSetup::triage().binding("work", wider))
        .await?;
    for part in [
        "spec.grants[0].scope.repository[1]",
        "repository a/web is beyond it",
        "spec.boundary of the Workspace",
    ] {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
    // What was there before still holds.
    let turn = workspace
        .chat("triage", &workspace.script_a_look().await?)
        .await?;
    assert!(
        turn.decisions().iter().all(|decision| decision.allowed),
        "{turn:#?}"
    );
    assert_eq!(workspace.github().recorded(workspace.name()).await?.len(), 1);
    workspace.remove().await
}

#[tokio::test]
async fn a_boundary_that_is_narrowed_takes_away_what_exceeds_it() -> Result<()> {
    let workspace = Workspace::create("narrow").await?;
    BotSetup::triage().install(&workspace).await?;
    bound(&workspace, "acme/docs-*").await?;
    let condition = workspace
        .condition("botbinding", "triage-work", "Accepted", "False")
        .await?;
    assert_eq!(condition["reason"], "NotPermitted", "{condition}");
    let message = condition["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("spec.grants[0].scope.repository[0]")
            && message.contains("repository acme/a is beyond it"),
        "{message}"
    );
    sees_tools(&workspace, |tools| tools == 0).await?;
    let turn = workspace
        .chat("triage", &workspace.script_a_look().await?)
        .await?;
    assert!(
        turn.decisions().iter().all(|decision| !decision.allowed),
        "{turn:#?}"
    );
    assert_eq!(workspace.github().recorded(workspace.name()).await?.len(), 0);
    let requests = workspace.model().recorded(workspace.name()).await?;
    let shown = requests.iter().any(|request| {
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        body["tools"].to_string().contains("github_")
    });
    assert!(!shown, "the tools are still there: {requests:#?}");
    // Widened again, the binding grants again, without a change of its own.
    bound(&workspace, "**").await?;
    workspace
        .condition("botbinding", "triage-work", "Accepted", "True")
        .await?;
    sees_tools(&workspace, |tools| tools > 0).await?;
    workspace.remove().await
}
