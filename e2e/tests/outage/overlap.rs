//! A second installation over the same namespaces.

use std::time::Duration;

use anyhow::{Result, ensure};
use monstrum_e2e::harness::cluster::SYSTEM;
use monstrum_e2e::harness::{BotSetup, Workspace, wait};

use crate::alone;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/monstrum");
const SECOND: &str = "monstrum-second";
const SAYS_SO: Duration = Duration::from_secs(90);
/// Two that undo each other's work write several times a second.
const QUIET: Duration = Duration::from_secs(15);

async fn second(workspace: &Workspace) -> Result<()> {
    let cluster = workspace.cluster();
    let values = cluster
        .helm(&["get", "values", "monstrum", "-n", SYSTEM, "-o", "yaml"])
        .await?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), values)?;
    let values = file.path().to_string_lossy().into_owned();
    let install = [
        "install",
        SECOND,
        CHART,
        "-n",
        SECOND,
        "--create-namespace",
        "-f",
        &values,
        "--set",
        "resourceTypes.install=false",
        "--wait",
    ];
    cluster.helm(&install).await.map(drop)
}

async fn written(workspace: &Workspace) -> Result<String> {
    let versions = "jsonpath={.items[*].metadata.generation} {.items[*].metadata.labels}";
    let get = [
        "-n",
        workspace.name(),
        "get",
        "deployment,service,networkpolicy",
        "-o",
        versions,
    ];
    workspace.cluster().kubectl(&get).await
}

/// Errors, not panics: the second installation must go.
async fn overlapping(workspace: &Workspace) -> Result<()> {
    let cluster = workspace.cluster();
    let get = ["-n", workspace.name(), "get", "events", "-o", "yaml"];
    let events = || cluster.kubectl(&get);
    let told = wait::until("the other to say so", SAYS_SO, events, |events| {
        events.contains("GovernedByAnother")
    });
    ensure!(told.await?.contains(SECOND));
    let before = written(workspace).await?;
    tokio::time::sleep(QUIET).await;
    ensure!(written(workspace).await? == before, "both write");
    let claim = [
        "-n",
        workspace.name(),
        "get",
        "configmap",
        "monstrum-installation",
    ];
    let whose = [&claim[..], &["-o", "jsonpath={.data.installation}"]].concat();
    ensure!(cluster.kubectl(&whose).await? == SYSTEM);
    workspace.bot_ready("triage").await
}

#[tokio::test]
async fn of_two_installations_one_governs_and_the_other_says_so() -> Result<()> {
    let _alone = alone().await;
    let workspace = Workspace::create("overlap").await?;
    BotSetup::triage().install(&workspace).await?;
    workspace.bot_ready("triage").await?;
    let result = match second(&workspace).await {
        Ok(()) => overlapping(&workspace).await,
        Err(error) => Err(error),
    };
    let cluster = workspace.cluster();
    let gone = cluster.helm(&["uninstall", SECOND, "-n", SECOND, "--wait"]).await;
    cluster
        .kubectl(&["delete", "namespace", SECOND, "--wait=false"])
        .await?;
    result?;
    gone?;
    workspace.remove().await
}
