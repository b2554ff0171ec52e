//! How much memory idle processes hold, as the kubelet's summary tells.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::samples::Row;
use crate::harness::Workspace;
use crate::harness::cluster::SYSTEM;

/// Resident memory of operator, ledger, and this namespace's gateway and runner.
pub(super) async fn of(workspace: &Workspace) -> Result<Vec<Row>> {
    let node = workspace
        .cluster()
        .kubectl(&["get", "nodes", "-o", "jsonpath={.items[0].metadata.name}"])
        .await?;
    let summary = workspace
        .cluster()
        .kubectl(&[
            "get",
            "--raw",
            &format!("/api/v1/nodes/{node}/proxy/stats/summary"),
        ])
        .await?;
    let summary: Value = serde_json::from_str(&summary)?;
    let pods = summary["pods"].as_array().context("the summary lists no pods")?;
    let of = |namespace: &str, part: &str| -> Vec<u64> {
        let mine = pods.iter().filter(|pod| {
            let name = pod["podRef"]["name"].as_str().unwrap_or_default();
            pod["podRef"]["namespace"] == namespace && name.contains(part)
        });
        mine.filter_map(|pod| pod["containers"][0]["memory"]["rssBytes"].as_u64())
            .collect()
    };
    Ok(vec![
        Row::of_bytes("idle memory: operator", of(SYSTEM, "operator")),
        Row::of_bytes("idle memory: ledger", of(SYSTEM, "ledger")),
        Row::of_bytes("idle memory: gateway", of(workspace.name(), "gateway")),
        Row::of_bytes("idle memory: runner", of(workspace.name(), "runner")),
    ])
}
