//! What this installation gives every pod that it makes.

use std::time::Duration;

use monstrum_crds::kinds::PodSettings;

use crate::args::OperatorArgs;
use crate::child::Labels;
use crate::network::Dns;

/// What this installation gives every pod that it makes.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Where operator and ledger run.
    pub namespace: String,
    /// Of every identity.
    pub trust_domain: String,
    /// The image of gateways and channels.
    pub gateway_image: String,
    /// The image of runners.
    pub runner_image: String,
    /// When images are pulled.
    pub pull_policy: String,
    /// What every pod of bots and channels gets, where its object says nothing else.
    pub pods: PodSettings,
    /// Labels of every object that is made.
    pub common_labels: Labels,
    /// What the pods of operator and ledger are called, in the label `app.kubernetes.io/name`.
    pub system_name: String,
    /// The cluster's domain.
    pub cluster_domain: String,
    /// Where names are resolved.
    pub dns: Dns,
    /// Of Services.
    pub ip_family_policy: String,
    /// The operators' Service.
    pub operator_service: String,
    /// The ledger's Service.
    pub ledger_service: String,
    /// Whose pods may read metrics; nobody's when empty.
    pub metrics_namespace: Option<String>,
    /// Of the certificates of pods.
    pub certificate_lifetime: Duration,
}

/// The port of every gRPC server.
pub(crate) const GRPC_PORT: i32 = 9443;
/// The port of every process's health, readiness and metrics.
pub(crate) const ADMIN_PORT: i32 = 9090;
/// The port that a channel's platform talks to.
pub(crate) const CHANNEL_PORT: i32 = 8080;

impl Installation {
    /// From the operator's flags.
    pub fn from_args(args: &OperatorArgs) -> Self {
        Self {
            namespace: args.namespace.clone(),
            trust_domain: args.trust_domain.clone(),
            gateway_image: args.images.gateway_image.clone(),
            runner_image: args.images.runner_image.clone(),
            pull_policy: args.images.image_pull_policy.clone(),
            pods: args.pod_defaults.clone(),
            common_labels: args.common_labels.clone(),
            system_name: args.system_name.clone(),
            cluster_domain: args.cluster_domain.clone(),
            dns: args.dns.clone(),
            ip_family_policy: args.ip_family_policy.clone(),
            operator_service: args.operator_service.clone(),
            ledger_service: args.ledger_service.clone(),
            metrics_namespace: named(std::slice::from_ref(&args.metrics_namespace)).pop(),
            certificate_lifetime: args.certificate_lifetime(),
        }
    }

    /// Where gateways and channels find the operator.
    pub fn operator_url(&self) -> String {
        format!(
            "https://{}.{}.svc:{GRPC_PORT}",
            self.operator_service, self.namespace
        )
    }

    /// Where gateways and channels find the ledger.
    pub fn ledger_url(&self) -> String {
        format!(
            "https://{}.{}.svc:{GRPC_PORT}",
            self.ledger_service, self.namespace
        )
    }

    /// The DNS names of a Service of a bot's namespace.
    pub(crate) fn names_in(&self, namespace: &str, service: &str) -> Vec<String> {
        service_names(service, namespace, &self.cluster_domain)
    }

    /// The DNS names of a Service beside the operator.
    pub(crate) fn system_names(&self, service: &str) -> Vec<String> {
        self.names_in(&self.namespace, service)
    }

    /// With the labels of every object.
    pub(crate) fn labelled(&self, own: Labels) -> Labels {
        let mut labels = self.common_labels.clone();
        labels.extend(own);
        labels
    }

    /// The namespaces that are never governed.
    pub(crate) fn excluded(args: &OperatorArgs) -> Vec<String> {
        named(&args.exclude_namespaces)
    }

    /// The namespaces to watch; empty means all.
    pub(crate) fn watched(args: &OperatorArgs) -> Vec<String> {
        named(&args.watch_namespaces)
    }
}

/// Without the empty names that an empty environment variable leaves.
fn named(names: &[String]) -> Vec<String> {
    names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// The DNS names under which a Service is reached from inside the cluster.
pub(crate) fn service_names(service: &str, namespace: &str, cluster_domain: &str) -> Vec<String> {
    vec![
        service.to_owned(),
        format!("{service}.{namespace}"),
        format!("{service}.{namespace}.svc"),
        format!("{service}.{namespace}.svc.{cluster_domain}"),
    ]
}
