//! What no operator has seen is not finished, for people and machines.

use anyhow::Result;
use monstrum_e2e::harness::{BotSetup, Workspace};

use crate::alone;
use crate::operator::scale;

const KINDS: [(&str, &str); 5] = [
    ("credential", "model"),
    ("modelprovider", "scripted"),
    ("resource", "work"),
    ("bot", "triage"),
    ("botbinding", "triage-work"),
];

#[tokio::test]
async fn an_object_that_no_operator_has_seen_says_so_and_is_nobodys_generation() -> Result<()> {
    let _alone = alone().await;
    let workspace = Workspace::create("unseen").await?;
    scale(&workspace, 0).await?;
    let told = unseen(&workspace).await;
    scale(&workspace, 2).await?;
    told?;
    workspace.bot_ready("triage").await?;
    workspace.remove().await
}

/// Errors, not panics: the operator must come back for the other tests.
async fn unseen(workspace: &Workspace) -> Result<()> {
    let cluster = workspace.cluster();
    let gone = "app.kubernetes.io/name=monstrum,app.kubernetes.io/component=operator";
    let system = monstrum_e2e::harness::cluster::SYSTEM;
    cluster
        .kubectl(&[
            "-n",
            system,
            "wait",
            "pod",
            "-l",
            gone,
            "--for=delete",
            "--timeout=60s",
        ])
        .await?;
    workspace.apply(&BotSetup::triage().yaml()).await?;
    for (kind, name) in KINDS {
        let object = workspace.get(kind, name).await?;
        let (observed, ready) = (
            &object["status"]["observedGeneration"],
            &object["status"]["conditions"][0],
        );
        anyhow::ensure!(
            *observed == -1 && ready["status"] == "Unknown" && ready["reason"] == "Pending",
            "{kind}: {object:#}"
        );
        let shown = cluster.kubectl(&["get", "-n", workspace.name(), kind]).await?;
        anyhow::ensure!(shown.contains("Pending"), "{shown}");
    }
    Ok(())
}
