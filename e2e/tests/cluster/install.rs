//! The README's way in: its commands install what is installed here, and its bot works.

use anyhow::Result;
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use kube::api::{Api, PostParams};
use monstrum_e2e::harness::cluster::SYSTEM;
use monstrum_e2e::harness::{Cluster, Workspace};
use serde_json::json;

const README: &str = include_str!("../../../README.md");
const QUICKSTART: &str = include_str!("../../../manifests/quickstart.yaml");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../");

#[tokio::test]
async fn the_readmes_commands_install_what_the_cluster_has() -> Result<()> {
    let cluster = Cluster::connect().await?;
    let lines = README
        .lines()
        .filter_map(|line| line.strip_prefix("helm upgrade --install "));
    let mut charts = 0;
    for line in lines {
        let line = line.replace(" charts/", &format!(" {ROOT}charts/"));
        let words = line.split_whitespace().filter(|word| *word != "--wait");
        // The API server judges every object; nothing is kept.
        let args = ["upgrade", "--install"].into_iter().chain(words);
        let args: Vec<&str> = args.chain(["--dry-run=server", "--force-conflicts"]).collect();
        let told = cluster.helm(&args).await?;
        charts += 1;
        if line.contains("monstrum-crds ") {
            continue;
        }
        for (kind, name) in [
            ("deployment", "monstrum-operator"),
            ("statefulset", "monstrum-ledger"),
        ] {
            let image = "jsonpath={.spec.template.spec.containers[0].image}";
            let running = cluster
                .kubectl(&["get", "-n", SYSTEM, kind, name, "-o", image])
                .await?;
            assert!(
                told.contains(&format!("image: {running}")),
                "{line}: not {running}"
            );
        }
    }
    assert_eq!(charts, 2);
    Ok(())
}

#[tokio::test]
async fn the_readmes_bot_needs_nothing_else() -> Result<()> {
    let workspace = Workspace::create("quickstart").await?;
    workspace.apply(QUICKSTART).await?;
    workspace.bot_ready("triage").await?;
    workspace
        .condition("botbinding", "triage-work", "Ready", "True")
        .await?;
    workspace.remove().await
}

#[tokio::test]
async fn the_installation_passes_its_own_test() -> Result<()> {
    let cluster = Cluster::connect().await?;
    let told = cluster.helm(&["test", "monstrum", "--namespace", SYSTEM]).await?;
    assert!(told.contains("Succeeded"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_namespaces_administrator_makes_bots_and_stays_within_its_workspace() -> Result<()> {
    let workspace = Workspace::create("roles").await?;
    let (cluster, namespace) = (workspace.cluster(), workspace.name());
    for role in ["admin", "edit", "view"] {
        cluster
            .kubectl(&[
                "create",
                "rolebinding",
                role,
                "-n",
                namespace,
                &format!("--clusterrole={role}"),
                &format!("--user={role}-of-{namespace}"),
            ])
            .await?;
    }
    for (role, verb, resource, expected) in [
        ("admin", "create", "bots", true),
        ("admin", "create", "botbindings", true),
        ("admin", "create", "workspaces", false),
        ("edit", "create", "bots", true),
        ("edit", "create", "botbindings", false),
        ("view", "list", "botbindings", true),
        ("view", "create", "bots", false),
    ] {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {},
            "spec": {
                "user": format!("{role}-of-{namespace}"),
                "resourceAttributes":
                    {"namespace": namespace, "verb": verb, "group": "monstrum.dev", "resource": resource},
            },
        });
        let reviews: Api<SubjectAccessReview> = Api::all(cluster.client());
        let review = reviews
            .create(&PostParams::default(), &serde_json::from_value(review)?)
            .await?;
        let allowed = review.status.is_some_and(|status| status.allowed);
        assert_eq!(allowed, expected, "{role} {verb} {resource}");
    }
    workspace.remove().await
}
