//! The objects of one bot. Pure: the same plan gives the same objects.

mod gateway;
mod runner;
mod sandbox;

#[cfg(test)]
mod tests;

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use monstrum_crds::kinds::PodSettings;
use monstrum_wire::identity::{BotId, DEFAULT_RUNNER, Identity, SANDBOX_PREFIX};

use crate::child::{CertificateSpec, Child, ChildKind, Labels, Owner};
use crate::installation::{GRPC_PORT, Installation};
use crate::network::{Outward, Target};

/// Everything that a bot's objects depend on, resolved.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The bot.
    pub owner: Owner,
    /// How many gateways.
    pub replicas: i32,
    /// The gateways' size and placement.
    pub gateway: PodSettings,
    /// The runner's size and placement.
    pub runner: PodSettings,
    /// Where its model is.
    pub model: Option<Target>,
    /// Where its own runner's calls go.
    pub outward: Outward,
    /// Its sandboxes, by resource.
    pub sandboxes: Vec<Sandbox>,
    /// The channels that route to it.
    pub channels: Vec<String>,
    /// The address of its gateways' Service, once it has one.
    pub address: Option<String>,
}

/// The sandbox of one bound resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Sandbox {
    /// The resource.
    pub resource: String,
    /// What carries its calls out.
    pub executor: String,
    /// The user's image.
    pub image: String,
    /// How much the working folder may hold.
    pub workspace: Quantity,
    /// Its size and placement.
    pub settings: PodSettings,
    /// Where its programs may connect to.
    pub outward: Outward,
}

/// What a bot needs.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    /// Objects, in the order in which they are applied.
    pub children: Vec<Child>,
    /// Certificates.
    pub certificates: Vec<CertificateSpec>,
}

/// The objects of `plan`.
pub fn build(plan: &Plan, installation: &Installation) -> Objects {
    let mut children = vec![
        service_account(plan),
        service(&plan.owner, installation),
        Child::new(ChildKind::Service, &gateway::peers(plan, installation)),
        Child::new(ChildKind::NetworkPolicy, &gateway::network(plan, installation)),
        Child::new(ChildKind::NetworkPolicy, &runner::network(plan, installation)),
        Child::new(ChildKind::Deployment, &gateway::deployment(plan, installation)),
        Child::new(ChildKind::Deployment, &runner::deployment(plan, installation)),
    ];
    if plan.replicas > 1 {
        children.push(Child::new(
            ChildKind::PodDisruptionBudget,
            &gateway::disruptions(plan),
        ));
    }
    let mut certificates = vec![
        gateway::certificate(plan, installation),
        certificate(plan, DEFAULT_RUNNER, &runner::name(plan)),
    ];
    for sandbox in &plan.sandboxes {
        let name = sandbox::name(plan, sandbox);
        children.push(Child::new(
            ChildKind::NetworkPolicy,
            &sandbox::network(plan, sandbox, installation),
        ));
        // Sandboxes resolve no names: without the gateway's address they can't start.
        if let Some(address) = &plan.address {
            let deployment = sandbox::deployment(plan, sandbox, address, installation);
            children.push(Child::new(ChildKind::Deployment, &deployment));
        }
        certificates.push(certificate(
            plan,
            &format!("{SANDBOX_PREFIX}{}", sandbox.resource),
            &name,
        ));
    }
    children.sort_by(|left, right| (left.kind, &left.name).cmp(&(right.kind, &right.name)));
    for child in &mut children {
        child.label(&installation.common_labels);
    }
    for certificate in &mut certificates {
        certificate.labels = installation.labelled(std::mem::take(&mut certificate.labels));
    }
    Objects {
        children,
        certificates,
    }
}

/// The Service in front of a bot's gateways, which needs nothing but the bot.
pub fn service(owner: &Owner, installation: &Installation) -> Child {
    let mut service = Child::new(ChildKind::Service, &gateway::service(owner, installation));
    service.label(&installation.common_labels);
    service
}

/// The gateway's name, which is its Service's too.
pub fn gateway_name(bot: &str) -> String {
    format!("{bot}-gateway")
}

/// Where a bot's runners and channels find its gateways.
pub fn gateway_url(bot: &str, namespace: &str) -> String {
    format!("https://{}:{GRPC_PORT}", gateway_host(bot, namespace))
}

/// The name in the gateways' certificates.
fn gateway_host(bot: &str, namespace: &str) -> String {
    format!("{}.{namespace}.svc", gateway_name(bot))
}

fn bot_id(plan: &Plan) -> BotId {
    BotId {
        namespace: plan.owner.namespace.clone(),
        name: plan.owner.name.clone(),
        uid: plan.owner.uid,
    }
}

/// An identity for the Kubernetes API that may do nothing and has no token.
fn service_account(plan: &Plan) -> Child {
    let account = ServiceAccount {
        metadata: plan
            .owner
            .metadata(&gateway_name(&plan.owner.name), plan.owner.labels("gateway")),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    };
    Child::new(ChildKind::ServiceAccount, &account)
}

fn certificate(plan: &Plan, runner: &str, name: &str) -> CertificateSpec {
    CertificateSpec {
        secret: format!("{name}-tls"),
        identity: Identity::Runner {
            bot: bot_id(plan),
            runner: runner.to_owned(),
        },
        names: Vec::new(),
        labels: plan.owner.labels("runner"),
    }
}

/// With the runner's name, which tells the bot's own runner from its sandboxes.
fn with(mut labels: Labels, key: &str, value: &str) -> Labels {
    labels.insert(key.to_owned(), value.to_owned());
    labels
}
