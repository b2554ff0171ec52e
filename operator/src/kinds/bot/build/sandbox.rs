//! The sandbox of one bound resource: the user's image, with our runner put in, and no way out but to the gateway.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, PodDNSConfig};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use monstrum_crds::kinds::PodSettings;
use monstrum_wire::identity::SANDBOX_PREFIX;

use super::runner::{COMPONENT, EXECUTORS_VARIABLE, to_gateway};
use super::{Plan, Sandbox, with};
use crate::child::{Labels, label};
use crate::installation::{GRPC_PORT, Installation};
use crate::network::{self, Rules};
use crate::workload::{self, Workload};

/// Where the certificate is. Not below `/etc`, which the programs of a sandbox may read.
const TLS_DIR: &str = "/monstrum/tls";
const INJECTED: &str = "/injected";
const RUNNER: &str = "/injected/monstrum-runner";
const INJECTOR: &str = "inject";

pub(super) fn name(plan: &Plan, sandbox: &Sandbox) -> String {
    format!("{}-runner-{}", plan.owner.name, sandbox.resource)
}

fn labels(mut labels: Labels, sandbox: &Sandbox) -> Labels {
    labels.insert(label::RESOURCE.to_owned(), sandbox.resource.clone());
    with(
        labels,
        label::RUNNER,
        &format!("{SANDBOX_PREFIX}{}", sandbox.resource),
    )
}

pub(super) fn deployment(
    plan: &Plan,
    sandbox: &Sandbox,
    address: &str,
    installation: &Installation,
) -> Deployment {
    let name = name(plan, sandbox);
    let settings = sandbox.settings.over(&installation.pods);
    let volumes = vec![
        workload::tls_volume(&format!("{name}-tls")),
        workload::empty_dir("injected", None),
        workload::empty_dir("workspace", Some(sandbox.workspace.clone())),
        workload::empty_dir("tmp", Some(sandbox.workspace.clone())),
    ];
    let mut deployment = workload::deployment(Workload {
        owner: &plan.owner,
        labels: labels(plan.owner.labels(COMPONENT), sandbox),
        selector: labels(plan.owner.selector(COMPONENT), sandbox),
        replicas: 1,
        service_account: Some(super::gateway_name(&plan.owner.name)),
        settings: &settings,
        init: vec![injector(&settings, installation)],
        container: container(plan, sandbox, address, &settings, installation),
        volumes,
        name,
    });
    if let Some(pod) = deployment
        .spec
        .as_mut()
        .and_then(|spec| spec.template.spec.as_mut())
        && sandbox.outward.is_empty()
    {
        // Names are a way out, too.
        pod.dns_policy = Some("None".to_owned());
        pod.dns_config = Some(PodDNSConfig {
            nameservers: Some(vec!["127.0.0.1".to_owned()]),
            ..PodDNSConfig::default()
        });
    }
    deployment
}

fn container(
    plan: &Plan,
    sandbox: &Sandbox,
    address: &str,
    settings: &PodSettings,
    installation: &Installation,
) -> Container {
    let mut container = workload::container(
        "sandbox",
        &sandbox.image,
        &[RUNNER, "serve"],
        settings,
        installation,
    );
    container.env.get_or_insert_default().extend([
        workload::env("MONSTRUM_GATEWAY", &gateway_url(address)),
        workload::env(
            "MONSTRUM_GATEWAY_NAME",
            &super::gateway_host(&plan.owner.name, &plan.owner.namespace),
        ),
        workload::env(
            "MONSTRUM_RUNNER",
            &format!("{SANDBOX_PREFIX}{}", sandbox.resource),
        ),
        workload::env(EXECUTORS_VARIABLE, &sandbox.executor),
        workload::env("MONSTRUM_TLS_DIR", TLS_DIR),
    ]);
    container.working_dir = Some("/workspace".to_owned());
    container.volume_mounts = Some(vec![
        workload::mount("tls", TLS_DIR, true),
        workload::mount("injected", INJECTED, true),
        workload::mount("workspace", "/workspace", false),
        workload::mount("tmp", "/tmp", false),
    ]);
    container
}

/// Copies the runner into the sandbox.
fn injector(settings: &PodSettings, installation: &Installation) -> Container {
    let variables = workload::further(INJECTOR, settings);
    Container {
        name: INJECTOR.to_owned(),
        image: Some(installation.runner_image.clone()),
        image_pull_policy: Some(installation.pull_policy.clone()),
        command: Some(
            ["/monstrum-runner", "install", "--to", RUNNER]
                .map(ToOwned::to_owned)
                .to_vec(),
        ),
        env: (!variables.is_empty()).then_some(variables),
        volume_mounts: Some(vec![workload::mount("injected", INJECTED, false)]),
        resources: Some(workload::resources(INJECTOR, settings)),
        security_context: Some(workload::unprivileged(settings)),
        ..Container::default()
    }
}

fn gateway_url(address: &str) -> String {
    if address.contains(':') {
        format!("https://[{address}]:{GRPC_PORT}")
    } else {
        format!("https://{address}:{GRPC_PORT}")
    }
}

/// In: whoever reads metrics. Out: its gateways; and where its programs may connect to.
pub(super) fn network(plan: &Plan, sandbox: &Sandbox, installation: &Installation) -> NetworkPolicy {
    let mut egress = vec![to_gateway(plan)];
    if !sandbox.outward.is_empty() {
        egress.push(installation.dns.rule());
        egress.extend(network::to_outward(&sandbox.outward));
    }
    let selector = labels(plan.owner.selector(COMPONENT), sandbox);
    let rules = Rules {
        ingress: network::from_metrics(installation).into_iter().collect(),
        egress,
    };
    network::policy(
        &plan.owner,
        &name(plan, sandbox),
        labels(plan.owner.labels(COMPONENT), sandbox),
        selector,
        rules,
    )
}
