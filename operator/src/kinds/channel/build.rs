//! The objects of one channel. Pure: the same plan gives the same objects.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapVolumeSource, Service, ServiceAccount, ServicePort, ServiceSpec, Volume,
};
use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicyIngressRule};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use monstrum_contract::channel::Settings;
use monstrum_crds::kinds::{PodSettings, SecretKeyRef};
use monstrum_wire::identity::{ChannelId, Identity};
use sha2::{Digest as _, Sha256};

use crate::child::{CertificateSpec, Child, ChildKind, Labels, Owner, label};
use crate::installation::{CHANNEL_PORT, GRPC_PORT, Installation};
use crate::network::{self, Rules, Target};
use crate::workload::{self, TLS_DIR, Workload};

const COMPONENT: &str = "channel";
const CONFIG_DIR: &str = "/etc/monstrum/channel";
const CONFIG_FILE: &str = "config.json";
const SECRET_DIR: &str = "/etc/monstrum/channel-secret";
const SECRET_FILE: &str = "secret";
/// Pods are made anew when their settings change: a mounted file follows only after a minute.
const CONFIG_DIGEST: &str = "monstrum.dev/config";

/// Everything that a channel's objects depend on, resolved.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) owner: Owner,
    pub(super) replicas: i32,
    pub(super) settings: PodSettings,
    pub(super) secret: SecretKeyRef,
    /// Where answers are sent.
    pub(super) callback: Option<Target>,
    pub(super) channel: Settings,
}

pub(super) fn name(owner: &Owner) -> String {
    format!("{}-channel", owner.name)
}

pub(super) fn build(plan: &Plan, installation: &Installation) -> (Vec<Child>, CertificateSpec) {
    // Settings are strings, numbers and lists: it always is JSON.
    let config = serde_json::to_string_pretty(&plan.channel).unwrap_or_default();
    let mut children = vec![
        Child::new(ChildKind::ServiceAccount, &service_account(plan)),
        Child::new(ChildKind::Service, &service(plan, installation)),
        Child::new(ChildKind::ConfigMap, &config_map(plan, &config)),
        Child::new(ChildKind::NetworkPolicy, &network(plan, installation)),
        Child::new(ChildKind::Deployment, &deployment(plan, &config, installation)),
    ];
    if plan.replicas > 1 {
        children.push(Child::new(ChildKind::PodDisruptionBudget, &disruptions(plan)));
    }
    children.sort_by(|left, right| (left.kind, &left.name).cmp(&(right.kind, &right.name)));
    for child in &mut children {
        child.label(&installation.common_labels);
    }
    let certificate = CertificateSpec {
        secret: format!("{}-tls", name(&plan.owner)),
        identity: Identity::Channel(ChannelId {
            namespace: plan.owner.namespace.clone(),
            name: plan.owner.name.clone(),
            uid: plan.owner.uid,
        }),
        names: Vec::new(),
        labels: installation.labelled(plan.owner.labels(COMPONENT)),
    };
    (children, certificate)
}

fn service_account(plan: &Plan) -> ServiceAccount {
    ServiceAccount {
        metadata: plan
            .owner
            .metadata(&name(&plan.owner), plan.owner.labels(COMPONENT)),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

fn service(plan: &Plan, installation: &Installation) -> Service {
    let port = ServicePort {
        name: Some("http".to_owned()),
        port: CHANNEL_PORT,
        target_port: Some(IntOrString::String("http".to_owned())),
        protocol: Some("TCP".to_owned()),
        ..ServicePort::default()
    };
    Service {
        metadata: plan
            .owner
            .metadata(&name(&plan.owner), plan.owner.labels(COMPONENT)),
        spec: Some(ServiceSpec {
            selector: Some(plan.owner.selector(COMPONENT)),
            ports: Some(vec![port]),
            type_: Some("ClusterIP".to_owned()),
            ip_family_policy: Some(installation.ip_family_policy.clone()),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

fn config_map(plan: &Plan, config: &str) -> ConfigMap {
    ConfigMap {
        metadata: plan
            .owner
            .metadata(&name(&plan.owner), plan.owner.labels(COMPONENT)),
        data: Some(BTreeMap::from([(CONFIG_FILE.to_owned(), config.to_owned())])),
        ..ConfigMap::default()
    }
}

fn deployment(plan: &Plan, config: &str, installation: &Installation) -> Deployment {
    let name = name(&plan.owner);
    let settings = plan.settings.over(&installation.pods);
    let mut container = workload::container(
        COMPONENT,
        &installation.gateway_image,
        &["/monstrum-channel"],
        &settings,
        installation,
    );
    container.env.get_or_insert_default().extend([
        workload::env("MONSTRUM_OPERATOR", &installation.operator_url()),
        workload::env("MONSTRUM_LEDGER", &installation.ledger_url()),
    ]);
    container
        .ports
        .get_or_insert_default()
        .push(workload::port("http", CHANNEL_PORT));
    container.volume_mounts = Some(vec![
        workload::mount("tls", TLS_DIR, true),
        workload::mount("config", CONFIG_DIR, true),
        workload::mount("secret", SECRET_DIR, true),
    ]);
    let volumes = vec![
        workload::tls_volume(&format!("{name}-tls")),
        config_volume(&name),
        workload::secret_volume("secret", &plan.secret.name, Some((&plan.secret.key, SECRET_FILE))),
    ];
    let mut deployment = workload::deployment(Workload {
        owner: &plan.owner,
        labels: plan.owner.labels(COMPONENT),
        selector: plan.owner.selector(COMPONENT),
        replicas: plan.replicas,
        service_account: Some(name.clone()),
        settings: &settings,
        init: Vec::new(),
        container,
        volumes,
        name,
    });
    if let Some(metadata) = deployment
        .spec
        .as_mut()
        .and_then(|spec| spec.template.metadata.as_mut())
    {
        let digest = hex::encode(Sha256::digest(config));
        metadata
            .annotations
            .get_or_insert_default()
            .insert(CONFIG_DIGEST.to_owned(), digest);
    }
    deployment
}

fn config_volume(name: &str) -> Volume {
    Volume {
        name: "config".to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            name: name.to_owned(),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    }
}

fn disruptions(plan: &Plan) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: plan
            .owner
            .metadata(&name(&plan.owner), plan.owner.labels(COMPONENT)),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(LabelSelector {
                match_labels: Some(plan.owner.selector(COMPONENT)),
                ..LabelSelector::default()
            }),
            ..PodDisruptionBudgetSpec::default()
        }),
        status: None,
    }
}

/// In: its platform, wherever that calls from. Out: operator, ledger, names, the gateways of its routes, its callbacks.
fn network(plan: &Plan, installation: &Installation) -> NetworkPolicy {
    let from_platform = NetworkPolicyIngressRule {
        from: None,
        ..network::from(Vec::new(), &[CHANNEL_PORT])
    };
    let mut bots: Vec<&str> = plan
        .channel
        .routes
        .iter()
        .map(|route| route.bot.as_str())
        .collect();
    bots.sort_unstable();
    bots.dedup();
    let gateways = bots.into_iter().map(|bot| {
        network::pods(Labels::from([
            (label::BOT.to_owned(), bot.to_owned()),
            (label::COMPONENT.to_owned(), "gateway".to_owned()),
        ]))
    });
    let gateways: Vec<_> = gateways.collect();
    let mut rules = Rules {
        ingress: vec![from_platform],
        egress: vec![network::to_system(installation), installation.dns.rule()],
    };
    rules.ingress.extend(network::from_metrics(installation));
    // No peers would mean all of them.
    if !gateways.is_empty() {
        rules.egress.push(network::to(gateways, &[GRPC_PORT]));
    }
    rules
        .egress
        .extend(plan.callback.as_ref().and_then(network::to_target));
    let labels = plan.owner.labels(COMPONENT);
    network::policy(
        &plan.owner,
        &name(&plan.owner),
        labels,
        plan.owner.selector(COMPONENT),
        rules,
    )
}
