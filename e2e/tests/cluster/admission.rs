//! The admission webhook answers the API server, and nobody else.

use anyhow::{Context as _, Result};
use monstrum_e2e::harness::cluster::{Cluster, SYSTEM};

/// That it answers the API server is what `boundary` shows.
#[tokio::test]
async fn a_stranger_is_answered_alike_whatever_it_asks() -> Result<()> {
    let cluster = Cluster::connect().await?;
    let configuration = format!("monstrum-admission-{SYSTEM}");
    let path = "jsonpath={.webhooks[0].clientConfig.service.path}";
    let path = cluster
        .kubectl(&[
            "get",
            "validatingwebhookconfiguration",
            &configuration,
            "-o",
            path,
        ])
        .await?;
    let secret = path.strip_prefix("/validate/").context(path.clone())?;
    assert!(
        secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "the path holds no secret"
    );
    for path in ["validate", "", "healthz", "validate/0000"] {
        let raw =
            format!("/api/v1/namespaces/{SYSTEM}/services/https:monstrum-admission:webhook/proxy/{path}");
        let told = cluster
            .kubectl(&["get", "--raw", &raw])
            .await
            .err()
            .context("a stranger was answered")?;
        assert!(format!("{told:#}").contains("NotFound"), "{path}: {told:#}");
    }
    Ok(())
}
