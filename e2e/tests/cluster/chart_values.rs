//! Every value of the chart has the effect that it names.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use monstrum_e2e::harness::Cluster;
use serde_json::Value;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/monstrum");

/// A value by its path, what it is set to, as JSON, and the text that is only in the objects then (`-` before it: only
/// without).
const VALUES: &[(&str, &str, &str)] = &[
    (
        "global.imageRegistry",
        "\"mirror.example\"",
        "mirror.example/ledger:",
    ),
    ("global.imagePullSecrets", "[\"shared\"]", "name: shared"),
    ("nameOverride", "\"acme\"", "app.kubernetes.io/name: acme"),
    ("fullnameOverride", "\"acme-ai\"", "name: acme-ai-operator"),
    ("commonLabels", "{\"cost\": \"seven\"}", "cost: seven"),
    ("image.registry", "\"mirror.example\"", "mirror.example/gateway:"),
    ("image.tag", "\"v9\"", "monstrum.dev/operator:v9"),
    (
        "image.digests.operator",
        "\"sha256:1111111111111111111111111111111111111111111111111111111111111111\"",
        "monstrum.dev/operator@sha256:1111111111111111111111111111111111111111111111111111111111111111",
    ),
    (
        "image.digests.gateway",
        "\"sha256:2222222222222222222222222222222222222222222222222222222222222222\"",
        "monstrum.dev/gateway@sha256:2222222222222222222222222222222222222222222222222222222222222222",
    ),
    (
        "image.digests.runner",
        "\"sha256:3333333333333333333333333333333333333333333333333333333333333333\"",
        "monstrum.dev/runner@sha256:3333333333333333333333333333333333333333333333333333333333333333",
    ),
    (
        "image.digests.ledger",
        "\"sha256:4444444444444444444444444444444444444444444444444444444444444444\"",
        "monstrum.dev/ledger@sha256:4444444444444444444444444444444444444444444444444444444444444444",
    ),
    ("image.pullPolicy", "\"Always\"", "imagePullPolicy: Always"),
    ("trustDomain", "\"acme.example\"", "value: \"acme.example\""),
    ("cluster.domain", "\"k8s.corp\"", "value: \"k8s.corp\""),
    (
        "dns.namespace",
        "\"openshift-dns\"",
        "kubernetes.io/metadata.name: openshift-dns",
    ),
    (
        "dns.podLabels",
        "{\"role\": \"resolver\"}",
        "{\"role\":\"resolver\"}",
    ),
    ("dns.addresses", "[\"10.9.8.7\"]", "cidr: 10.9.8.7/32"),
    ("dns.ports", "[5353]", "port: 5353, protocol: UDP"),
    (
        "ipFamilyPolicy",
        "\"RequireDualStack\"",
        "ipFamilyPolicy: RequireDualStack",
    ),
    (
        "policy.leaseSeconds",
        "77",
        "name: MONSTRUM_POLICY_LEASE_SECONDS, value: \"77\"",
    ),
    (
        "certificates.hours",
        "5",
        "name: MONSTRUM_CERTIFICATE_HOURS, value: \"5\"",
    ),
    (
        "authority.days",
        "99",
        "name: MONSTRUM_AUTHORITY_DAYS, value: \"99\"",
    ),
    (
        "authority.secret",
        "\"platform-ca\"",
        "resourceNames: [platform-ca]",
    ),
    (
        "authority.settleSeconds",
        "66",
        "name: MONSTRUM_AUTHORITY_SETTLE_SECONDS, value: \"66\"",
    ),
    ("watchNamespaces", "[\"only-here\"]", "namespace: only-here"),
    (
        "excludeNamespaces",
        "[\"not-here\"]",
        "operator: NotIn, values: [\"not-here\"]",
    ),
    ("pod.labels", "{\"team\": \"platform\"}", "team: platform"),
    ("pod.annotations", "{\"owner\": \"ann, bob\"}", "owner: ann, bob"),
    (
        "pod.containers",
        "{\"ledger\": {\"resources\": {\"limits\": {\"cpu\": \"321m\"}}}}",
        "cpu: 321m",
    ),
    ("pod.nodeSelector", "{\"disk\": \"tape\"}", "disk: tape"),
    (
        "pod.affinity",
        "{\"podAntiAffinity\": {\"requiredDuringSchedulingIgnoredDuringExecution\": [{\"topologyKey\": \"rack\"}]}}",
        "topologyKey: rack",
    ),
    (
        "pod.topologySpreadConstraints",
        "[{\"topologyKey\": \"row\", \"maxSkew\": 1, \"whenUnsatisfiable\": \"DoNotSchedule\"}]",
        "\"topologyKey\":\"row\"",
    ),
    ("pod.tolerations", "[{\"key\": \"quiet\"}]", "key: quiet"),
    ("pod.priorityClassName", "\"low\"", "priorityClassName: low"),
    ("pod.runtimeClassName", "\"kata\"", "runtimeClassName: kata"),
    ("pod.imagePullSecrets", "[{\"name\": \"puller\"}]", "name: puller"),
    (
        "pod.securityContext",
        "{\"assignedByPlatform\": true}",
        "-runAsUser",
    ),
    (
        "bots.pod",
        "{\"priorityClassName\": \"bots\"}",
        "name: MONSTRUM_POD_DEFAULTS, value: \"{\\\"priorityClassName\\\":\\\"bots\\\"}\"",
    ),
    (
        "podPlacement.tolerations",
        "[{\"key\": \"reserved\"}]",
        "reserved",
    ),
    ("podPlacement.nodeSelector", "{\"pool\": [\"quiet\"]}", "quiet"),
    ("podPlacement.runtimeClassNames", "[\"kata-qemu\"]", "kata-qemu"),
    ("podPlacement.priorityClassNames", "[\"urgent\"]", "urgent"),
    ("podPlacement.topologyKeys", "[\"rack\"]", "rack"),
    ("podPlacement.labels", "[\"acme.example/*\"]", "acme.example/*"),
    (
        "podPlacement.annotations",
        "[\"acme.example/owners\"]",
        "acme.example/owners",
    ),
    ("podPlacement.env", "[\"TZ\"]", "[\\\"TZ\\\"]"),
    (
        "podPlacement.imagePullSecrets",
        "[\"team-mirror\"]",
        "team-mirror",
    ),
    (
        "podPlacement.securityContext",
        "true",
        "\\\"securityContext\\\":true",
    ),
    ("operator.replicas", "3", "replicas: 3"),
    (
        "operator.log",
        "\"debug\"",
        "name: MONSTRUM_LOG, value: \"debug\"",
    ),
    (
        "operator.lease.seconds",
        "61",
        "name: MONSTRUM_LEASE_SECONDS, value: \"61\"",
    ),
    (
        "operator.lease.renewSeconds",
        "12",
        "name: MONSTRUM_LEASE_RENEW_SECONDS, value: \"12\"",
    ),
    (
        "operator.lease.retrySeconds",
        "3",
        "name: MONSTRUM_LEASE_RETRY_SECONDS, value: \"3\"",
    ),
    (
        "operator.memory.namespaceMebibytes",
        "17",
        "name: MONSTRUM_NAMESPACE_MEBIBYTES, value: \"17\"",
    ),
    (
        "operator.memory.totalMebibytes",
        "65",
        "name: MONSTRUM_TOTAL_MEBIBYTES, value: \"65\"",
    ),
    (
        "operator.pod.containers.operator.resources.requests.cpu",
        "\"123m\"",
        "cpu: 123m",
    ),
    (
        "operator.pod.containers.operator.resources.requests.memory",
        "\"61Mi\"",
        "memory: 61Mi",
    ),
    (
        "operator.pod.containers.operator.resources.limits.memory",
        "\"601Mi\"",
        "memory: 601Mi",
    ),
    ("ledger.log", "\"trace\"", "name: MONSTRUM_LOG, value: \"trace\""),
    ("ledger.storage.size", "\"9Gi\"", "storage: 9Gi"),
    ("ledger.storage.className", "\"fast\"", "storageClassName: fast"),
    (
        "ledger.pod.containers.ledger.resources.requests.cpu",
        "\"124m\"",
        "cpu: 124m",
    ),
    (
        "ledger.pod.containers.ledger.resources.requests.memory",
        "\"62Mi\"",
        "memory: 62Mi",
    ),
    (
        "ledger.pod.containers.ledger.resources.limits.memory",
        "\"602Mi\"",
        "memory: 602Mi",
    ),
    (
        "admission.enabled",
        "false",
        "-kind: ValidatingWebhookConfiguration",
    ),
    ("admission.failurePolicy", "\"Fail\"", "failurePolicy: Fail"),
    ("admission.timeoutSeconds", "7", "timeoutSeconds: 7"),
    (
        "admission.clientCa",
        "\"api-server-ca\"",
        "configMap: {name: \"api-server-ca\"}",
    ),
    (
        "admission.apiServerCidrs",
        "[\"192.0.2.0/24\"]",
        "ipBlock: {cidr: \"192.0.2.0/24\"}",
    ),
    ("networkPolicies.enabled", "false", "-kind: NetworkPolicy"),
    (
        "metrics.namespace",
        "\"watchers\"",
        "name: MONSTRUM_METRICS_NAMESPACE, value: \"watchers\"",
    ),
    ("metrics.serviceMonitor.enabled", "true", "kind: ServiceMonitor"),
    ("metrics.podMonitor.enabled", "true", "kind: PodMonitor"),
    ("resourceTypes.install", "false", "-kind: ResourceType"),
];
/// Values that only matter where monitors are made.
const OF_MONITORS: &[(&str, &str, &str)] = &[
    (
        "metrics.podMonitor.labels",
        "{\"release\": \"pods\"}",
        "release: pods",
    ),
    ("metrics.podMonitor.interval", "\"19s\"", "interval: 19s"),
    (
        "metrics.serviceMonitor.labels",
        "{\"release\": \"prom\"}",
        "release: prom",
    ),
    ("metrics.serviceMonitor.interval", "\"17s\"", "interval: 17s"),
];

async fn rendered(cluster: &Cluster, values: &[(&str, &str)]) -> Result<String> {
    let pairs: Vec<String> = values
        .iter()
        .map(|(path, value)| format!("{path}={value}"))
        .collect();
    let mut args = vec![
        "template",
        "monstrum",
        CHART,
        "-n",
        "system",
        "-a",
        "monitoring.coreos.com/v1",
    ];
    for pair in &pairs {
        args.extend(["--set-json", pair]);
    }
    cluster.helm(&args).await
}

/// The paths of everything that can be set.
fn leaves(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                leaves(field, &path, found);
            }
        }
        _ => drop(found.insert(path.to_owned())),
    }
}

#[tokio::test]
async fn every_value_does_what_it_says() -> Result<()> {
    let cluster = Cluster::connect().await?;
    let plain = rendered(&cluster, &[]).await?;
    for &(path, value, text) in VALUES {
        let with = rendered(&cluster, &[(path, value)]).await?;
        let (there, gone, text) = match text.strip_prefix('-') {
            Some(text) => (&plain, &with, text),
            None => (&with, &plain, text),
        };
        assert!(
            there.contains(text) && !gone.contains(text),
            "{path}={value}: {text:?}"
        );
    }
    let monitored = [
        ("metrics.serviceMonitor.enabled", "true"),
        ("metrics.podMonitor.enabled", "true"),
    ];
    for &(path, value, text) in OF_MONITORS {
        let with = rendered(&cluster, &[&monitored[..], &[(path, value)]].concat()).await?;
        assert!(with.contains(text), "{path}={value}: {text:?}");
    }
    let mut known = BTreeSet::new();
    let values = std::fs::read_to_string(format!("{CHART}/values.yaml"))?;
    let values: Value = serde_saphyr::from_str(&values).context("values.yaml")?;
    leaves(&values, "", &mut known);
    let tried = VALUES.iter().chain(OF_MONITORS);
    let tried: BTreeSet<String> = tried.map(|(path, ..)| (*path).to_owned()).collect();
    assert_eq!(known, tried);
    Ok(())
}

#[tokio::test]
async fn an_unknown_value_is_refused() -> Result<()> {
    let cluster = Cluster::connect().await?;
    let refused = rendered(&cluster, &[("operator.replica", "3")]).await.err();
    let told = refused.map(|error| error.to_string()).unwrap_or_default();
    assert!(told.contains("replica"), "{told}");
    Ok(())
}

/// Whoever pins what runs pins all of it: no image is left to a tag.
#[tokio::test]
async fn every_image_can_be_pinned_by_digest() -> Result<()> {
    let cluster = Cluster::connect().await?;
    let digests = format!(
        r#"{{"operator": "{0}", "gateway": "{0}", "runner": "{0}", "ledger": "{0}"}}"#,
        format_args!("sha256:{}", "5".repeat(64))
    );
    let pinned = rendered(&cluster, &[("image.digests", &digests)]).await?;
    let images: Vec<&str> = pinned
        .lines()
        .filter(|line| line.trim_start().starts_with("image:") || line.contains("_IMAGE, value:"))
        .collect();
    assert!(images.len() >= 4, "{images:#?}");
    for image in images {
        assert!(image.contains("@sha256:"), "{image}");
    }
    let moved = [("image.digests.operator", "\"latest\"")];
    assert!(
        rendered(&cluster, &moved).await.is_err(),
        "what is no digest is refused"
    );
    Ok(())
}
