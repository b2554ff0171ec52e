//! How long a runner waits for the Guardian's answer.

use std::time::Instant;

use anyhow::{Result, ensure};
use monstrum_wire::guardian::guardian_client::GuardianClient;
use monstrum_wire::guardian::{CheckRequest, Verdict};

use super::samples::Row;
use crate::harness::Workspace;
use crate::harness::impostor::{Impostor, Target};

/// Not measured: the connection is made, code and caches are warm.
const WARM_UP: usize = 500;

/// One check after the other, over mutual TLS from the node to the gateway's pod, with the runner's own certificate.
pub(super) async fn over_grpc(workspace: &Workspace, checks: usize) -> Result<Row> {
    let name = format!("triage-gateway.{}.svc", workspace.name());
    let gateway = Target {
        namespace: workspace.name(),
        labels: "monstrum.dev/bot=triage,app.kubernetes.io/component=gateway",
        name: &name,
    };
    let channel = Impostor::with(workspace, "triage-runner-tls")
        .await?
        .dial(gateway)
        .await?;
    let mut guardian = GuardianClient::new(channel);
    let mut times = Vec::with_capacity(checks);
    for check in 0..checks.saturating_add(WARM_UP) {
        let request = CheckRequest {
            tool: "github_list_issues".to_owned(),
            arguments_json: format!("{{\"owner\": \"acme\", \"repo\": \"web-{check}\"}}"),
        };
        let started = Instant::now();
        let answer = guardian.check(request).await?.into_inner();
        let took = started.elapsed();
        ensure!(answer.verdict() == Verdict::Allow, "denied: {}", answer.message);
        if check >= WARM_UP {
            times.push(took);
        }
    }
    Ok(Row::of_times("a check over gRPC, node to pod, mutual TLS", times))
}
