//! The release goes and comes back: what people made stays, and so does what was recorded.

use std::time::Duration;

use anyhow::{Result, ensure};
use monstrum_e2e::harness::cluster::SYSTEM;
use monstrum_e2e::harness::{BotSetup, Cluster, Workspace, wait};
use serde_json::Value;

use crate::alone;

const BACK: Duration = Duration::from_secs(90);
const CHARTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts");
/// One object of each kind that a person makes.
const MADE: [(&str, &str); 6] = [
    ("bot", "triage"),
    ("botbinding", "triage-work"),
    ("resource", "work"),
    ("credential", "github"),
    ("modelprovider", "scripted"),
    ("secret", "keys"),
];

async fn uids(workspace: &Workspace) -> Result<Vec<String>> {
    let mut uids = Vec::new();
    for (kind, name) in MADE {
        let object = workspace.get(kind, name).await?;
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str);
        uids.push(uid.unwrap_or_default().to_owned());
    }
    Ok(uids)
}

/// Installs both charts, with the values that the release had.
async fn install(cluster: &Cluster, values: &str) -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), values)?;
    let crds = format!("{CHARTS}/monstrum-crds");
    cluster
        .helm(&["install", "monstrum-crds", &crds, "--wait"])
        .await?;
    let (chart, values) = (
        format!("{CHARTS}/monstrum"),
        file.path().to_string_lossy().into_owned(),
    );
    let args = [
        "install", "monstrum", &chart, "-n", SYSTEM, "-f", &values, "--wait",
    ];
    cluster.helm(&args).await.map(drop)
}

/// Errors, not panics: the installation must come back for the other tests.
async fn uninstalled(workspace: &Workspace, before: &[String]) -> Result<()> {
    let cluster = workspace.cluster();
    cluster
        .helm(&["uninstall", "monstrum", "-n", SYSTEM, "--wait"])
        .await?;
    cluster.helm(&["uninstall", "monstrum-crds", "--wait"]).await?;
    let left = cluster
        .kubectl(&["-n", SYSTEM, "get", "deployment,statefulset", "-o", "name"])
        .await?;
    ensure!(left.is_empty(), "the release left {left}");
    ensure!(
        uids(workspace).await? == before,
        "an object that a person made is gone"
    );
    for name in ["github", "shell"] {
        cluster.kubectl(&["get", "resourcetype", name]).await?;
    }
    // Nothing of ours holds an object back: without an operator a bot still goes, with all that was made for it.
    let bot = "
apiVersion: monstrum.dev/v1alpha1
kind: Bot
metadata: {name: late}
spec: {model: {provider: scripted, name: scripted-1}}";
    workspace.apply(bot).await?;
    workspace.delete("bot", "late").await
}

#[tokio::test]
async fn an_uninstall_keeps_what_people_made_and_what_was_recorded() -> Result<()> {
    let _alone = alone().await;
    let workspace = Workspace::create("uninstall").await?;
    BotSetup::triage().install(&workspace).await?;
    let message = workspace.script_a_look().await?;
    assert_eq!(workspace.chat("triage", &message).await?.answer(), "Done.");
    let recorded = workspace.audit("triage").await?.len();
    let before = uids(&workspace).await?;
    let values = workspace
        .cluster()
        .helm(&["get", "values", "monstrum", "-n", SYSTEM, "-o", "yaml"])
        .await?;

    let during = uninstalled(&workspace, &before).await;
    install(workspace.cluster(), &values).await?;
    during?;

    workspace.bot_ready("triage").await?;
    let again = wait::until(
        "the bot's work",
        BACK,
        || workspace.chat("triage", &message),
        |turn| turn.answer() == "Done." && turn.decisions().iter().any(|decision| decision.allowed),
    );
    again.await?;
    assert_eq!(uids(&workspace).await?, before);
    let after = workspace.audit("triage").await?;
    assert!(
        after.len() > recorded,
        "{} records, then {}",
        recorded,
        after.len()
    );
    let cluster = workspace.cluster();
    let verified = cluster
        .monstrum(&["audit", "verify", "--live", "triage", "-n", workspace.name()])
        .await?;
    assert!(verified.status.success(), "{verified:?}");
    workspace.remove().await
}
