//! Without an operator bots go on until their policy's lease ends; then everything is denied, until it is back.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use monstrum_e2e::harness::cluster::SYSTEM;
use monstrum_e2e::harness::{BotSetup, Turn, Workspace, wait};

use crate::{alone, leader, pod_of};

/// The lease that the tests' values set is 20 seconds; twice that is more than enough.
const LEASE_OVER: Duration = Duration::from_secs(60);

async fn look(workspace: &Workspace) -> Result<Turn> {
    workspace
        .chat("triage", &format!("Look ({})", workspace.name()))
        .await
}

pub(crate) async fn scale(workspace: &Workspace, replicas: u8) -> Result<()> {
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
    let former = leader(workspace.cluster()).await?;
    workspace
        .cluster()
        .kubectl(&[
            "-n",
            SYSTEM,
            "delete",
            "pod",
            pod_of(&former),
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
    let successor = leader(workspace.cluster()).await?;
    assert_ne!(former, successor);
    workspace.remove().await
}

/// Takes the operator's right to one verb on one kind away, as a hardening of RBAC gone wrong does. Put back with `helm`'s
/// own role, which is kept.
async fn forbid(workspace: &Workspace, resource: &str, verb: &str) -> Result<String> {
    let role = format!("monstrum-operator-{SYSTEM}");
    let cluster = workspace.cluster();
    let before = cluster
        .kubectl(&["get", "clusterrole", &role, "-o", "json"])
        .await?;
    let mut changed: serde_json::Value = serde_json::from_str(&before)?;
    let rules = changed["rules"].as_array_mut().context("a role without rules")?;
    let mut separate = Vec::new();
    for rule in rules.iter_mut() {
        let Some(resources) = rule["resources"].as_array_mut() else {
            continue;
        };
        let all = resources.len();
        resources.retain(|other| other != resource);
        if resources.len() < all {
            let mut own = rule.clone();
            own["resources"] = serde_json::json!([resource]);
            let verbs = own["verbs"].as_array_mut().context("a rule without verbs")?;
            verbs.retain(|other| other != verb);
            separate.push(own);
        }
    }
    rules.retain(|rule| {
        rule["resources"]
            .as_array()
            .is_none_or(|resources| !resources.is_empty())
    });
    rules.extend(
        separate
            .into_iter()
            .filter(|rule| rule["verbs"] != serde_json::json!([])),
    );
    let patch = serde_json::json!({"rules": changed["rules"]}).to_string();
    cluster
        .kubectl(&["patch", "clusterrole", &role, "--type=merge", "-p", &patch])
        .await?;
    let before: serde_json::Value = serde_json::from_str(&before)?;
    Ok(serde_json::json!({"rules": before["rules"]}).to_string())
}

#[tokio::test]
async fn what_a_dead_watch_does_not_tell_is_out_of_force_within_the_lease() -> Result<()> {
    let _alone = alone().await;
    let workspace = Workspace::create("deadwatch").await?;
    BotSetup::triage().install(&workspace).await?;
    workspace.script_a_look().await?;
    let permitted_before = look(&workspace).await?;
    assert!(permitted(&permitted_before), "{permitted_before:#?}");

    let rules = forbid(&workspace, "botbindings", "watch").await?;
    let result = unseen_deletion(&workspace).await;
    let role = format!("monstrum-operator-{SYSTEM}");
    let restored = ["patch", "clusterrole", &role, "--type=merge", "-p", &rules];
    workspace.cluster().kubectl(&restored).await?;
    result?;

    workspace.apply(&BotSetup::triage().yaml()).await?;
    wait::until("recovery", LEASE_OVER * 3, || look(&workspace), permitted).await?;
    workspace.bot_ready("triage").await?;
    workspace.remove().await
}

/// Errors, not panics: the right must come back for the other tests.
async fn unseen_deletion(workspace: &Workspace) -> Result<()> {
    // A watch that stands is not ended by the loss of the right to it: the next request to watch is refused, seconds later.
    let logs = [
        "-n",
        SYSTEM,
        "logs",
        "-l",
        "app.kubernetes.io/component=operator",
        "--since=30s",
    ];
    let refused = |logs: &String| logs.contains("a watch failed") && logs.contains("BotBinding");
    let read = || workspace.cluster().kubectl(&logs);
    wait::until("the first refusal", LEASE_OVER, read, refused).await?;
    let name = workspace.name().to_owned();
    let delete = ["-n", &name, "delete", "botbinding", "triage-work"];
    workspace.cluster().kubectl(&delete).await?;
    let deleted = tokio::time::Instant::now();
    let denied = |turn: &Turn| !permitted(turn);
    wait::until("the end of the lease", LEASE_OVER, || look(workspace), denied).await?;
    // 20 seconds of lease, and the time that a look takes.
    ensure!(
        deleted.elapsed() <= Duration::from_secs(30),
        "in force for {:?}",
        deleted.elapsed()
    );
    let stale = || async {
        let path = "jsonpath={.status.conditions[?(@.type=='Ready')].reason}";
        workspace
            .cluster()
            .kubectl(&["-n", &name, "get", "bot", "triage", "-o", path])
            .await
    };
    wait::until("the bot's status", LEASE_OVER, stale, |reason| {
        reason.trim() == "Stale"
    })
    .await?;
    Ok(())
}
