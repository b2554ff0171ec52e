//! What this installation gives every pod that it makes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::args::OperatorArgs;

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
    /// Secrets to pull with.
    pub pull_secrets: Vec<String>,
    /// The operators' Service.
    pub operator_service: String,
    /// The ledger's Service.
    pub ledger_service: String,
    /// Whose pods may read metrics; nobody's when empty.
    pub metrics_namespace: Option<String>,
    /// Annotations of every pod.
    pub pod_annotations: BTreeMap<String, String>,
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
            pull_secrets: named(&args.images.image_pull_secrets),
            operator_service: args.operator_service.clone(),
            ledger_service: args.ledger_service.clone(),
            metrics_namespace: named(std::slice::from_ref(&args.metrics_namespace)).pop(),
            pod_annotations: args.pod_annotations.iter().cloned().collect(),
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
pub(crate) fn service_names(service: &str, namespace: &str) -> Vec<String> {
    vec![
        service.to_owned(),
        format!("{service}.{namespace}"),
        format!("{service}.{namespace}.svc"),
        format!("{service}.{namespace}.svc.cluster.local"),
    ]
}
