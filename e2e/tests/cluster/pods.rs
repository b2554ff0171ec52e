//! What objects say about their pods is in the pods, and an API server keeps it as it was said.

use std::time::Duration;

use anyhow::{Context as _, Result};
use monstrum_e2e::harness::{BotSetup, Workspace, wait};
use serde_json::Value;

/// All that the installation of the tests permits.
const SETTINGS: &str = "
  gateway:
    replicas: 2
    pod:
      labels: {team: a}
      annotations: {acme.example/owners: 'ann, bob'}
      containers: {gateway: {resources: {limits: {cpu: 100m}}, env: {TZ: UTC, EMPTY: ''}}}
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - {weight: 10, podAffinityTerm: {topologyKey: kubernetes.io/hostname}}
      topologySpreadConstraints:
        - {topologyKey: kubernetes.io/hostname, maxSkew: 2, whenUnsatisfiable: ScheduleAnyway}
  runner:
    pod:
      containers: {runner: {resources: {limits: {cpu: '0.1'}}, env: {EMPTY: ''}}}";

#[tokio::test]
async fn what_is_said_of_pods_is_in_them_and_stays_as_it_is() -> Result<()> {
    let workspace = Workspace::create("pods").await?;
    BotSetup::triage().bot(SETTINGS).install(&workspace).await?;
    let gateway = workspace.get("deployment", "triage-gateway").await?;
    let template = &gateway["spec"]["template"];
    assert_eq!(template["metadata"]["labels"]["team"], "a");
    assert_eq!(
        template["metadata"]["annotations"]["acme.example/owners"],
        "ann, bob"
    );
    let own = &template["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"];
    assert_eq!(own, &gateway["spec"]["selector"]["matchLabels"]);
    // Whatever the API server made of it, the operator takes it for what it said.
    tokio::time::sleep(Duration::from_secs(5)).await;
    for name in ["triage-gateway", "triage-runner"] {
        let deployment = workspace.get("deployment", name).await?;
        assert_eq!(
            deployment["metadata"]["generation"], 1,
            "{name} was written again"
        );
    }
    workspace.remove().await
}

#[tokio::test]
async fn a_quota_on_cpu_limits_can_be_met_by_every_container() -> Result<()> {
    let workspace = Workspace::create("quota").await?;
    let quota = "
apiVersion: v1
kind: ResourceQuota
metadata: {name: cpu}
spec: {hard: {limits.cpu: '4'}}";
    workspace.apply(quota).await?;
    let limits = "{resources: {limits: {cpu: 100m}}}";
    let settings = format!(
        "
  gateway: {{pod: {{containers: {{gateway: {limits}}}}}}}
  runner: {{pod: {{containers: {{runner: {limits}}}}}}}"
    );
    BotSetup::triage().bot(&settings).install(&workspace).await?;
    let sandbox = format!(
        "
apiVersion: monstrum.dev/v1alpha1
kind: Resource
metadata: {{name: toolbox}}
spec:
  type: shell
  config: {{workingDirectory: /workspace}}
  runner:
    image: monstrum.dev/sandbox:dev
    pod: {{containers: {{sandbox: {limits}, inject: {limits}}}}}
---
apiVersion: monstrum.dev/v1alpha1
kind: BotBinding
metadata: {{name: triage-toolbox}}
spec: {{bot: triage, resource: toolbox, grants: [{{operations: [command.execute], scope: {{command: ['id -u']}}}}]}}"
    );
    workspace.apply(&sandbox).await?;
    let ready = |deployment: &Value| deployment["status"]["readyReplicas"] == 1;
    let name = "triage-runner-toolbox";
    let timeout = Duration::from_secs(90);
    let get = || async { workspace.get("deployment", name).await };
    wait::until("the sandbox within the quota", timeout, get, ready)
        .await
        .context("a container without a limit?")?;
    workspace.remove().await
}

#[tokio::test]
async fn settings_that_nobody_permitted_are_refused() -> Result<()> {
    let workspace = Workspace::create("placement").await?;
    let told = workspace
        .cluster()
        .apply_refused(
            workspace.name(),
            "
apiVersion: monstrum.dev/v1alpha1
kind: Bot
metadata: {name: triage}
spec:
  gateway:
    pod:
      priorityClassName: system-node-critical
      labels: {app: payments}
      containers: {gateway: {env: {MONSTRUM_OPERATOR: 'https://evil.example'}}}",
        )
        .await?;
    for part in [
        "podPlacement.priorityClassNames",
        "podPlacement.labels",
        "spec.gateway.pod.containers[gateway].env[MONSTRUM_OPERATOR]",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    workspace.remove().await
}
