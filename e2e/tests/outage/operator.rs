//! Without an operator bots go on until their policy's lease ends; then everything is denied, until it is back.

use std::time::Duration;

use anyhow::{Result, ensure};
use monstrum_e2e::harness::cluster::SYSTEM;
use monstrum_e2e::harness::{BotSetup, Turn, Workspace, wait};

use crate::alone;

/// The lease that the tests' values set is 20 seconds; twice that is more than enough.
const LEASE_OVER: Duration = Duration::from_secs(60);

async fn look(workspace: &Workspace) -> Result<Turn> {
    workspace
        .chat("triage", &format!("Look ({})", workspace.name()))
        .await
}

async fn scale(workspace: &Workspace, replicas: u8) -> Result<()> {
    let replicas = format!("--replicas={replicas}");
    workspace
        .cluster()
        .kubectl(&["-n", SYSTEM, "scale", "deployment/monstrum-operator", &replicas])
        .await
        .map(drop)
}

fn permitted(turn: &Turn) -> bool {
    turn.decisions().iter().any(|decision| decision.allowed)
}

#[tokio::test]
async fn a_stale_policy_denies_everything_and_recovers_alone() -> Result<()> {
    let _alone = alone().await;
    let workspace = Workspace::create("stale").await?;
    BotSetup::triage().install(&workspace).await?;
    workspace.script_a_look().await?;

    scale(&workspace, 0).await?;
    let result = outage(&workspace).await;
    scale(&workspace, 2).await?;
    result?;

    wait::until("recovery", LEASE_OVER, || look(&workspace), permitted).await?;
    workspace.bot_ready("triage").await?;
    workspace.remove().await
}

/// Errors, not panics: the operator must come back for the other tests.
async fn outage(workspace: &Workspace) -> Result<()> {
    let during = look(workspace).await?;
    ensure!(
        permitted(&during),
        "the lease still holds, but the call was denied: {during:#?}"
    );
    let denied = |turn: &Turn| !permitted(turn);
    let after = wait::until("the end of the lease", LEASE_OVER, || look(workspace), denied).await?;
    let reached = workspace.github().recorded(workspace.name()).await?.len();
    let again = look(workspace).await?;
    ensure!(!permitted(&again), "{after:#?} {again:#?}");
    let now = workspace.github().recorded(workspace.name()).await?.len();
    ensure!(now == reached, "a denied call was made");
    Ok(())
}

#[tokio::test]
async fn the_leaders_death_loses_nothing() -> Result<()> {
    let _alone = alone().await;
    let workspace = Workspace::create("leader").await?;
    BotSetup::triage().install(&workspace).await?;
    let holder = [
        "-n",
        SYSTEM,
        "get",
        "lease",
        "monstrum-operator",
        "-o",
        "jsonpath={.spec.holderIdentity}",
    ];
    // The holder is the pod's name with the process's own id behind it.
    let holding = workspace.cluster().kubectl(&holder).await?;
    let leader = holding.split('_').next().unwrap_or_default();
    workspace
        .cluster()
        .kubectl(&[
            "-n",
            SYSTEM,
            "delete",
            "pod",
            leader,
            "--grace-period=0",
            "--force",
        ])
        .await?;

    // A change made while nobody leads is taken up by the next leader.
    let narrower = "[{operations: [issue.read], scope: {repository: ['acme/elsewhere']}}]";
    workspace
        .apply(&BotSetup::triage().binding("work", narrower))
        .await?;
    workspace.script_a_look().await?;
    wait::until(
        "the narrower policy",
        LEASE_OVER,
        || look(&workspace),
        |turn| !turn.answer().is_empty() && !permitted(turn),
    )
    .await?;
    workspace.bot_ready("triage").await?;
    let successor = workspace.cluster().kubectl(&holder).await?;
    assert_ne!(holding, successor);
    workspace.remove().await
}
