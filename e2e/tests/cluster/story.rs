//! The demo's story: from `kubectl apply` to the answer.

use anyhow::Result;
use monstrum_e2e::harness::bot::{TOKEN, shell};
use monstrum_e2e::harness::{BotSetup, Scripted, Workspace};
use rstest::rstest;
use serde_json::json;

#[rstest]
#[case::openai("OpenAI")]
#[case::anthropic("Anthropic")]
#[tokio::test]
async fn a_granted_call_is_answered_with_what_the_server_said(#[case] dialect: &'static str) -> Result<()> {
    let workspace = Workspace::create("story").await?;
    BotSetup::triage().dialect(dialect).install(&workspace).await?;
    let message = format!("Which issues are open? ({})", workspace.name());
    let script = Scripted::default()
        .calls(&[(
            "github_list_issues",
            json!({"owner": "acme", "repo": workspace.name()}),
        )])
        .says("These are open: {results}")
        .when(&message);
    workspace.model().script(workspace.name(), &script).await?;

    let turn = workspace.chat("triage", &message).await?;

    assert!(
        turn.answer().contains("Login fails after the upgrade"),
        "{turn:#?}"
    );
    assert!(
        turn.decisions().iter().all(|decision| decision.allowed),
        "{turn:#?}"
    );
    let requests = workspace.github().recorded(workspace.name()).await?;
    assert_eq!(requests.len(), 1, "{requests:#?}");
    assert_eq!(
        requests[0].header("authorization"),
        Some(format!("Bearer {TOKEN}").as_str())
    );
    assert_eq!(requests[0].method, "GET");
    workspace.remove().await
}

#[tokio::test]
async fn a_bot_is_ready_only_when_its_gateway_enforces_the_digest() -> Result<()> {
    let workspace = Workspace::create("ready").await?;
    BotSetup::triage().install(&workspace).await?;
    let bot = workspace.get("bot", "triage").await?;
    let (policy, enforced) = (&bot["status"]["policyDigest"], &bot["status"]["enforcedDigest"]);
    assert!(
        policy
            .as_str()
            .is_some_and(|digest| digest.starts_with("sha256:")),
        "{bot:#}"
    );
    assert_eq!(policy, enforced, "{bot:#}");
    workspace.remove().await
}

#[tokio::test]
async fn a_refused_call_never_leaves_and_the_turn_goes_on() -> Result<()> {
    let workspace = Workspace::create("refused").await?;
    BotSetup::triage().install(&workspace).await?;
    let message = format!("Look into payroll ({})", workspace.name());
    let foreign = format!("payroll-{}", workspace.name());
    let script = Scripted::default()
        .calls(&[
            ("github_list_issues", json!({"owner": "initech", "repo": foreign})),
            (
                "github_list_issues",
                json!({"owner": "acme", "repo": workspace.name()}),
            ),
        ])
        .says("Done.")
        .when(&message);
    workspace.model().script(workspace.name(), &script).await?;

    let turn = workspace.chat("triage", &message).await?;

    assert_eq!(turn.answer(), "Done.");
    let allowed: Vec<bool> = turn.decisions().iter().map(|decision| decision.allowed).collect();
    assert_eq!(allowed.iter().filter(|allowed| **allowed).count(), 1, "{turn:#?}");
    assert!(workspace.github().recorded(&foreign).await?.is_empty());
    let denied = workspace.audit("triage").await?;
    assert!(
        denied
            .iter()
            .any(|record| record["verdict"] == "deny" && record["reason"] == "OutOfScope"),
        "{denied:#?}"
    );
    workspace.remove().await
}

#[tokio::test]
async fn a_command_runs_in_its_sandbox() -> Result<()> {
    let workspace = Workspace::create("shell").await?;
    BotSetup::triage().install(&workspace).await?;
    workspace.apply(&shell("['echo **']")).await?;
    workspace
        .condition("botbinding", "triage-toolbox", "Ready", "True")
        .await?;
    workspace.bot_ready("triage").await?;
    let message = format!("Say hello ({})", workspace.name());
    let script = Scripted::default()
        .calls(&[(
            "shell_execute",
            json!({"command": "echo 'hello   world' \"$\"HOME"}),
        )])
        .calls(&[("shell_execute", json!({"command": "echo 'hello   world'"}))])
        .says("{results}")
        .when(&message);
    workspace.model().script(workspace.name(), &script).await?;

    let turn = workspace.chat("triage", &message).await?;

    assert!(turn.answer().contains("hello   world"), "{turn:#?}");
    workspace.remove().await
}

#[tokio::test]
async fn a_conversation_goes_on_in_its_session() -> Result<()> {
    let workspace = Workspace::create("session").await?;
    BotSetup::triage().install(&workspace).await?;
    let message = format!("First ({})", workspace.name());
    workspace
        .model()
        .script(
            workspace.name(),
            &Scripted::default().says("Noted.").when(&message),
        )
        .await?;
    let first = workspace.chat("triage", &message).await?;
    let second = format!("Second ({})", workspace.name());
    let name = format!("{}-second", workspace.name());
    workspace
        .model()
        .script(&name, &Scripted::default().says("Indeed.").when(&second))
        .await?;

    let turn = workspace.chat_in(&first.session(), "triage", &second).await?;

    assert_eq!(turn.answer(), "Indeed.", "{turn:#?}");
    let requests = workspace.model().recorded(&second).await?;
    assert!(
        requests.iter().any(|request| request.body.contains("Noted.")),
        "the history is missing: {requests:#?}"
    );
    workspace.remove().await
}
