//! The installation's authority is deleted, and another one takes its place: no turn notices.

use std::time::Duration;

use anyhow::{Result, ensure};
use monstrum_e2e::harness::cluster::SYSTEM;
use monstrum_e2e::harness::{BotSetup, Cluster, Workspace, wait};

use crate::{alone, leader, pod_of};

const SECRET: &str = "monstrum-ca";
/// Operators look every five seconds.
const PUT_BACK: Duration = Duration::from_secs(30);
/// Two steps, each of the `authority.settleSeconds` of the tests' values and what kubelets take.
const ROTATED: Duration = Duration::from_secs(300);

/// A field of the authority's Secret; empty without one.
async fn kept(cluster: &Cluster, field: &str) -> Result<String> {
    let field = format!("jsonpath={{.data.{}}}", field.replace('.', "\\."));
    cluster
        .kubectl(&[
            "-n",
            SYSTEM,
            "get",
            "secret",
            SECRET,
            "--ignore-not-found",
            "-o",
            &field,
        ])
        .await
}

async fn is_permitted(workspace: &Workspace, message: &str) -> Result<()> {
    let turn = workspace.chat("triage", message).await?;
    let permitted = turn.decisions().iter().any(|decision| decision.allowed);
    ensure!(permitted, "a turn noticed: {turn:#?}");
    Ok(())
}

/// Restarts every operator but the one that leads.
async fn restart_standbys(cluster: &Cluster) -> Result<()> {
    let leader = leader(cluster).await?;
    let labels = "app.kubernetes.io/name=monstrum,app.kubernetes.io/component=operator";
    let pods = [
        "-n",
        SYSTEM,
        "get",
        "pods",
        "-l",
        labels,
        "-o",
        "jsonpath={.items[*].metadata.name}",
    ];
    let pods = cluster.kubectl(&pods).await?;
    for pod in pods.split_whitespace().filter(|pod| *pod != pod_of(&leader)) {
        let delete = ["-n", SYSTEM, "delete", "pod", pod, "--grace-period=0", "--force"];
        cluster.kubectl(&delete).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_authority_that_is_deleted_while_a_standby_restarts_is_put_back_as_it_was() -> Result<()> {
    let _alone = alone().await;
    let workspace = Workspace::create("deleted-ca").await?;
    BotSetup::triage().install(&workspace).await?;
    let message = workspace.script_a_look().await?;
    let cluster = workspace.cluster();
    let before = kept(cluster, "tls.crt").await?;

    cluster
        .kubectl(&["-n", SYSTEM, "delete", "secret", SECRET])
        .await?;
    restart_standbys(cluster).await?;
    let ask = || kept(cluster, "tls.crt");
    wait::until("the authority", PUT_BACK, ask, |now| !now.is_empty()).await?;
    cluster
        .kubectl(&[
            "-n",
            SYSTEM,
            "rollout",
            "status",
            "deployment/monstrum-operator",
            "--timeout=120s",
        ])
        .await?;

    ensure!(
        kept(cluster, "tls.crt").await? == before,
        "there is a second authority"
    );
    is_permitted(&workspace, &message).await?;
    workspace.bot_ready("triage").await?;
    workspace.remove().await
}

#[tokio::test]
async fn another_authority_takes_its_place_step_by_step_and_no_turn_notices() -> Result<()> {
    let _alone = alone().await;
    let workspace = Workspace::create("rotated-ca").await?;
    BotSetup::triage().install(&workspace).await?;
    let message = workspace.script_a_look().await?;
    let cluster = workspace.cluster();
    let before = kept(cluster, "tls.crt").await?;

    cluster
        .kubectl(&[
            "-n",
            SYSTEM,
            "annotate",
            "secret",
            SECRET,
            "monstrum.dev/rotate=now",
            "--overwrite",
        ])
        .await?;
    let ask = || async {
        is_permitted(&workspace, &message).await?;
        anyhow::Ok((kept(cluster, "tls.crt").await?, kept(cluster, "ca.crt").await?))
    };
    let rotated = |now: &(String, String)| now.0 != before && now.0 == now.1;
    let end = std::time::Instant::now() + ROTATED;
    loop {
        // A turn that fails ends the test at once: it must not be tried again.
        let now = ask().await?;
        if rotated(&now) {
            break;
        }
        ensure!(
            std::time::Instant::now() < end,
            "not rotated within {ROTATED:?}: {now:?}"
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    is_permitted(&workspace, &message).await?;
    workspace.bot_ready("triage").await?;
    // What is refused is told by admission as before.
    let wrong = "{apiVersion: monstrum.dev/v1alpha1, kind: Resource, metadata: {name: wrong}, spec: {type: github, config: {baseUrl: 'http://169.254.169.254'}}}";
    cluster.apply_refused(workspace.name(), wrong).await?;
    workspace.remove().await
}
