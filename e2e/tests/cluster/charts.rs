//! The charts: an upgrade and an uninstall leave the users' objects alone, and every pod is as restricted as can be.

use anyhow::Result;
use monstrum_e2e::harness::cluster::SYSTEM;
use monstrum_e2e::harness::{BotSetup, Cluster, Workspace};

#[tokio::test]
async fn every_rendered_pod_passes_the_restricted_standard() -> Result<()> {
    let workspace = Workspace::create("restricted").await?;
    let charts = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/monstrum");
    let rendered = workspace
        .cluster()
        .helm(&["template", "monstrum", charts, "--namespace", workspace.name()])
        .await?;
    let pods: Vec<&str> = rendered
        .split("\n---")
        .filter(|document| document.contains("kind: Deployment") || document.contains("kind: StatefulSet"))
        .collect();
    assert!(pods.len() >= 2, "{rendered}");
    // The namespace enforces the standard on pods; for their owners the API server answers with warnings, turned into errors here.
    for pod in pods {
        let args = [
            "label",
            "namespace",
            workspace.name(),
            "pod-security.kubernetes.io/warn=restricted",
            "--overwrite",
        ];
        workspace.cluster().kubectl(&args).await?;
        let told = workspace.cluster().warnings(workspace.name(), pod).await?;
        assert!(!told.contains("would violate PodSecurity"), "{told}");
    }
    workspace.remove().await
}

#[tokio::test]
async fn an_upgrade_keeps_the_users_objects() -> Result<()> {
    let workspace = Workspace::create("upgrade").await?;
    BotSetup::triage().install(&workspace).await?;
    let before = workspace.get("bot", "triage").await?;
    let charts = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts");
    let cluster = workspace.cluster();
    cluster
        .helm(&[
            "upgrade",
            "monstrum-crds",
            &format!("{charts}/monstrum-crds"),
            "--reuse-values",
            "--wait",
        ])
        .await?;
    let chart = format!("{charts}/monstrum");
    cluster
        .helm(&[
            "upgrade",
            "monstrum",
            &chart,
            "--namespace",
            SYSTEM,
            "--reuse-values",
            "--wait",
        ])
        .await?;
    let after = workspace.get("bot", "triage").await?;
    assert_eq!(before["metadata"]["uid"], after["metadata"]["uid"]);
    assert_eq!(before["spec"], after["spec"]);
    assert_eq!(before["metadata"]["generation"], after["metadata"]["generation"]);
    workspace.bot_ready("triage").await?;
    workspace.remove().await
}

#[tokio::test]
async fn an_uninstall_would_keep_every_definition_and_type() -> Result<()> {
    let cluster = Cluster::connect().await?;
    for name in [
        "bots.monstrum.dev",
        "botbindings.monstrum.dev",
        "resources.monstrum.dev",
        "channels.monstrum.dev",
    ] {
        let policy = cluster
            .kubectl(&[
                "get",
                "crd",
                name,
                "-o",
                "jsonpath={.metadata.annotations.helm\\.sh/resource-policy}",
            ])
            .await?;
        assert_eq!(policy, "keep", "{name}");
    }
    for name in ["github", "shell"] {
        let args = [
            "get",
            "resourcetype",
            name,
            "-o",
            "jsonpath={.metadata.annotations.helm\\.sh/resource-policy}",
        ];
        assert_eq!(cluster.kubectl(&args).await?, "keep", "{name}");
    }
    Ok(())
}
