//! The gateways of a bot.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use monstrum_wire::identity::Identity;

use super::{Plan, bot_id, gateway_name};
use crate::child::{CertificateSpec, Labels, Owner, label};
use crate::installation::{GRPC_PORT, Installation};
use crate::network::{self, Rules};
use crate::workload::{self, TLS_DIR, Workload};

const COMPONENT: &str = "gateway";

pub(super) fn deployment(plan: &Plan, installation: &Installation) -> Deployment {
    let name = gateway_name(&plan.owner.name);
    let settings = plan.gateway.over(&installation.pods);
    let mut container = workload::container(
        COMPONENT,
        &installation.gateway_image,
        &["/monstrum-gateway"],
        &settings,
        installation,
    );
    container.env.get_or_insert_default().extend([
        workload::env("MONSTRUM_OPERATOR", &installation.operator_url()),
        workload::env("MONSTRUM_LEDGER", &installation.ledger_url()),
        workload::env("MONSTRUM_GATEWAYS", &peers_name(plan)),
        workload::pod_field("POD_IP", "status.podIP"),
    ]);
    container
        .ports
        .get_or_insert_default()
        .push(workload::port("grpc", GRPC_PORT));
    container.volume_mounts = Some(vec![workload::mount("tls", TLS_DIR, true)]);
    workload::deployment(Workload {
        owner: &plan.owner,
        labels: plan.owner.labels(COMPONENT),
        selector: plan.owner.selector(COMPONENT),
        replicas: plan.replicas,
        service_account: Some(name.clone()),
        settings: &settings,
        init: Vec::new(),
        container,
        volumes: vec![workload::tls_volume(&format!("{name}-tls"))],
        name,
    })
}

pub(super) fn service(owner: &Owner, installation: &Installation) -> Service {
    let port = ServicePort {
        name: Some("grpc".to_owned()),
        port: GRPC_PORT,
        target_port: Some(IntOrString::String("grpc".to_owned())),
        protocol: Some("TCP".to_owned()),
        ..ServicePort::default()
    };
    Service {
        metadata: owner.metadata(&gateway_name(&owner.name), owner.labels(COMPONENT)),
        spec: Some(ServiceSpec {
            selector: Some(owner.selector(COMPONENT)),
            ports: Some(vec![port]),
            type_: Some("ClusterIP".to_owned()),
            ip_family_policy: Some(installation.ip_family_policy.clone()),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

/// Where each gateway finds the addresses of all of them, to tell the runners.
pub(super) fn peers(plan: &Plan, installation: &Installation) -> Service {
    let mut service = service(&plan.owner, installation);
    service.metadata.name = Some(format!("{}s", gateway_name(&plan.owner.name)));
    if let Some(spec) = service.spec.as_mut() {
        spec.cluster_ip = Some("None".to_owned());
        // One address for each gateway, the one that it knows as its own.
        spec.ip_family_policy = Some("SingleStack".to_owned());
        // Its runners come before a gateway is ready for its first turn.
        spec.publish_not_ready_addresses = Some(true);
    }
    service
}

fn peers_name(plan: &Plan) -> String {
    let Owner { name, namespace, .. } = &plan.owner;
    format!("{}s.{namespace}.svc:{GRPC_PORT}", gateway_name(name))
}

pub(super) fn disruptions(plan: &Plan) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: plan
            .owner
            .metadata(&gateway_name(&plan.owner.name), plan.owner.labels(COMPONENT)),
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

/// In: its runners and the channels that route to it. Out: operator, ledger, names, its model.
pub(super) fn network(plan: &Plan, installation: &Installation) -> NetworkPolicy {
    let mut peers = vec![network::pods(plan.owner.selector("runner"))];
    peers.extend(plan.channels.iter().map(|channel| {
        network::pods(Labels::from([
            (label::CHANNEL.to_owned(), channel.clone()),
            (label::COMPONENT.to_owned(), "channel".to_owned()),
        ]))
    }));
    let mut rules = Rules {
        ingress: vec![network::from(peers, &[GRPC_PORT])],
        egress: vec![network::to_system(installation), installation.dns.rule()],
    };
    rules.ingress.extend(network::from_metrics(installation));
    rules
        .egress
        .extend(plan.model.as_ref().and_then(network::to_target));
    let name = gateway_name(&plan.owner.name);
    network::policy(
        &plan.owner,
        &name,
        plan.owner.labels(COMPONENT),
        plan.owner.selector(COMPONENT),
        rules,
    )
}

pub(super) fn certificate(plan: &Plan, installation: &Installation) -> CertificateSpec {
    CertificateSpec {
        secret: format!("{}-tls", gateway_name(&plan.owner.name)),
        identity: Identity::Gateway(bot_id(plan)),
        names: installation.names_in(&plan.owner.namespace, &gateway_name(&plan.owner.name)),
        labels: plan.owner.labels(COMPONENT),
    }
}
