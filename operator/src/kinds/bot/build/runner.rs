//! A bot's own runner, which runs no foreign code.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicyEgressRule};
use monstrum_contract::{EXECUTORS, Placement};
use monstrum_wire::identity::DEFAULT_RUNNER;

use super::{Plan, gateway_url, with};
use crate::child::label;
use crate::installation::{GRPC_PORT, Installation};
use crate::network::{self, Rules};
use crate::workload::{self, TLS_DIR, Workload};

pub(super) const COMPONENT: &str = "runner";
/// Which executors a runner has.
pub(super) const EXECUTORS_VARIABLE: &str = "MONSTRUM_EXECUTORS";

pub(super) fn name(plan: &Plan) -> String {
    format!("{}-runner", plan.owner.name)
}

pub(super) fn deployment(plan: &Plan, installation: &Installation) -> Deployment {
    let settings = plan.runner.over(&installation.pods);
    let mut container = workload::container(
        COMPONENT,
        &installation.runner_image,
        &["/monstrum-runner", "serve"],
        &settings,
        installation,
    );
    container.env.get_or_insert_default().extend([
        workload::env(
            "MONSTRUM_GATEWAY",
            &gateway_url(&plan.owner.name, &plan.owner.namespace),
        ),
        workload::env("MONSTRUM_RUNNER", DEFAULT_RUNNER),
        workload::env(EXECUTORS_VARIABLE, &EXECUTORS.placed(Placement::Bot).join(",")),
    ]);
    container.volume_mounts = Some(vec![workload::mount("tls", TLS_DIR, true)]);
    workload::deployment(Workload {
        owner: &plan.owner,
        name: name(plan),
        labels: with(plan.owner.labels(COMPONENT), label::RUNNER, DEFAULT_RUNNER),
        selector: with(plan.owner.selector(COMPONENT), label::RUNNER, DEFAULT_RUNNER),
        replicas: 1,
        service_account: Some(super::gateway_name(&plan.owner.name)),
        settings: &settings,
        init: Vec::new(),
        container,
        volumes: vec![workload::tls_volume(&format!("{}-tls", name(plan)))],
    })
}

/// In: whoever reads metrics. Out: its gateways, names, and where its resources' calls go.
pub(super) fn network(plan: &Plan, installation: &Installation) -> NetworkPolicy {
    let mut egress = vec![to_gateway(plan), installation.dns.rule()];
    egress.extend(network::to_outward(&plan.outward));
    let labels = with(plan.owner.labels(COMPONENT), label::RUNNER, DEFAULT_RUNNER);
    let selector = with(plan.owner.selector(COMPONENT), label::RUNNER, DEFAULT_RUNNER);
    network::policy(
        &plan.owner,
        &name(plan),
        labels,
        selector,
        Rules {
            ingress: network::from_metrics(installation).into_iter().collect(),
            egress,
        },
    )
}

pub(super) fn to_gateway(plan: &Plan) -> NetworkPolicyEgressRule {
    network::to(vec![network::pods(plan.owner.selector("gateway"))], &[GRPC_PORT])
}
