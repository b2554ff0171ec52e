//! What is at the bottom of it stands in `Ready`, where `kubectl get` shows it.

use std::time::Duration;

use anyhow::Result;
use monstrum_e2e::harness::bot::shell;
use monstrum_e2e::harness::{BotSetup, Workspace, wait};
use serde_json::Value;

/// Pods are made, fail, and are asked; then what lasts is stalled.
const TOLD: Duration = Duration::from_secs(120);

fn condition<'a>(object: &'a Value, about: &str) -> Option<&'a Value> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|found| found["type"] == about)
}

/// Waits until an object is stalled for this reason; gives the sentence.
async fn stalled(workspace: &Workspace, kind: &str, name: &str, reason: &str) -> Result<String> {
    let is_told = |object: &Value| {
        ["Ready", "Stalled"]
            .iter()
            .all(|about| condition(object, about).is_some_and(|found| found["reason"] == reason))
    };
    let what = format!("{kind}/{name} stalled: {reason}");
    let object = wait::until(&what, TOLD, || workspace.get(kind, name), is_told).await?;
    let message = condition(&object, "Ready").and_then(|ready| ready["message"].as_str());
    Ok(message.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_sandbox_whose_new_image_can_not_be_had_says_so_although_the_old_one_runs() -> Result<()> {
    let workspace = Workspace::create("image").await?;
    BotSetup::triage().install(&workspace).await?;
    workspace.apply(&shell("['git status']")).await?;
    workspace
        .condition("botbinding", "triage-toolbox", "Ready", "True")
        .await?;
    workspace.bot_ready("triage").await?;

    let nowhere = shell("['git status']").replace("monstrum.dev/sandbox:dev", "localhost:1/nowhere:dev");
    workspace.apply(&nowhere).await?;
    let message = stalled(&workspace, "bot", "triage", "ImagePullFailed").await?;
    for part in [
        "triage-runner-toolbox",
        "0 of 1 pods",
        "nowhere:dev",
        "spec.runner.image of Resource",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let shown = workspace
        .cluster()
        .kubectl(&["get", "-n", workspace.name(), "bots"])
        .await?;
    assert!(shown.contains("ImagePullFailed"), "{shown}");

    workspace.apply(&shell("['git status']")).await?;
    workspace.bot_ready("triage").await?;
    let bot = workspace.get("bot", "triage").await?;
    assert!(
        condition(&bot, "Stalled").is_none() && condition(&bot, "Reconciling").is_none(),
        "{bot:#}"
    );
    workspace.remove().await
}

#[tokio::test]
async fn pods_that_a_quota_refuses_are_the_reason_up_to_the_binding() -> Result<()> {
    let workspace = Workspace::create("quota").await?;
    workspace
        .apply("{apiVersion: v1, kind: ResourceQuota, metadata: {name: small}, spec: {hard: {pods: '0'}}}")
        .await?;
    workspace.apply(&BotSetup::triage().yaml()).await?;
    for (kind, name) in [("bot", "triage"), ("botbinding", "triage-work")] {
        let message = stalled(&workspace, kind, name, "FailedCreate").await?;
        assert!(message.contains("exceeded quota: small"), "{message}");
    }
    workspace.remove().await
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_the_reason_on_every_object_up_the_chain() -> Result<()> {
    let workspace = Workspace::create("chain").await?;
    BotSetup::triage().install(&workspace).await?;
    workspace.delete("secret", "keys").await?;
    for (kind, name) in [
        ("credential", "model"),
        ("modelprovider", "scripted"),
        ("bot", "triage"),
        ("resource", "work"),
    ] {
        let message = stalled(&workspace, kind, name, "SecretNotFound").await?;
        assert!(message.contains("keys"), "{kind}: {message}");
    }
    workspace.apply(&BotSetup::triage().yaml()).await?;
    workspace.bot_ready("triage").await?;
    workspace.remove().await
}
