//! The operator's flags.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use monstrum_crds::kinds::PodSettings;
use monstrum_crds::placement::Placement;
use monstrum_crds::validate::pod;
use monstrum_guardian::address::CLUSTER_DOMAIN;
use monstrum_service::ServiceArgs;

use crate::child::Labels;
use crate::index::Budget;
use crate::leadership::{Timing, TimingError};
use crate::network::Dns;
use crate::trust::Source;

/// Reconciles Monstrum's custom resources: compiles each bot's policy, provisions its pods, opens its credentials.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "monstrum-operator", version)]
pub struct OperatorArgs {
    /// What every process has.
    #[command(flatten)]
    pub service: ServiceArgs,

    /// The namespace this operator runs in: its lease, its authority and the ledger's certificate are kept there.
    #[arg(long, env = "MONSTRUM_NAMESPACE", default_value = "monstrum-system")]
    pub namespace: String,

    /// This pod's name; names the holder of the lease.
    #[arg(long, env = "POD_NAME", default_value = "monstrum-operator")]
    pub pod_name: String,

    /// The namespaces to govern, separated by commas; all of them when empty.
    #[arg(long, env = "MONSTRUM_WATCH_NAMESPACES", value_delimiter = ',')]
    pub watch_namespaces: Vec<String>,

    /// Namespaces never to govern, separated by commas; also where they are among those to govern.
    #[arg(long, env = "MONSTRUM_EXCLUDE_NAMESPACES", value_delimiter = ',')]
    pub exclude_namespaces: Vec<String>,

    /// When this operator leads.
    #[command(flatten)]
    pub lease: LeaseArgs,

    /// What is kept in memory.
    #[command(flatten)]
    pub memory: MemoryArgs,

    /// The trust domain of this installation's identities.
    #[arg(long, env = "MONSTRUM_TRUST_DOMAIN", default_value = "monstrum.local")]
    pub trust_domain: String,

    /// Where gateways and channels call for policy and credentials.
    #[arg(long, env = "MONSTRUM_GRPC_ADDRESS", default_value = "[::]:9443")]
    pub grpc_address: SocketAddr,

    /// Where the API server asks for admission.
    #[arg(long, env = "MONSTRUM_WEBHOOK_ADDRESS", default_value = "[::]:8443")]
    pub webhook_address: SocketAddr,

    /// A file with the authority (PEM) of the certificate that this cluster's API server shows to webhooks. Without one, its
    /// knowledge of the path is enough.
    #[arg(long, env = "MONSTRUM_WEBHOOK_CLIENT_CA")]
    pub webhook_client_ca: Option<PathBuf>,

    /// The `ValidatingWebhookConfiguration` that is given this installation's authority and the webhook's path; none when empty.
    #[arg(long, env = "MONSTRUM_WEBHOOK_CONFIGURATION", default_value = "")]
    pub webhook_configuration: String,

    /// This pod's addresses, one of each family, which the leader makes the only endpoints of the operator's Service; nothing
    /// is made when absent.
    #[arg(long, env = "POD_IPS", value_delimiter = ',')]
    pub pod_addresses: Vec<IpAddr>,

    /// The name of the Service through which the API server asks for admission.
    #[arg(
        long,
        env = "MONSTRUM_ADMISSION_SERVICE",
        default_value = "monstrum-admission"
    )]
    pub admission_service: String,

    /// The name of the Service through which gateways and channels find the leader.
    #[arg(long, env = "MONSTRUM_OPERATOR_SERVICE", default_value = "monstrum-operator")]
    pub operator_service: String,

    /// The name of the Service in front of the ledger.
    #[arg(long, env = "MONSTRUM_LEDGER_SERVICE", default_value = "monstrum-ledger")]
    pub ledger_service: String,

    /// How many seconds a policy, and with it a leased credential, holds from when it was last known to be current.
    #[arg(long, env = "MONSTRUM_POLICY_LEASE_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(15..=3600))]
    pub policy_lease_seconds: u32,

    /// How many hours the certificates of bots' pods are valid; they are renewed after two thirds of it.
    #[arg(long, env = "MONSTRUM_CERTIFICATE_HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=8760))]
    pub certificate_hours: u64,

    /// How many days an authority that signs these certificates lives; another one takes its place after two thirds of it.
    #[arg(long, env = "MONSTRUM_AUTHORITY_DAYS", default_value_t = 3650, value_parser = clap::value_parser!(u64).range(1..=36_500))]
    pub authority_days: u64,

    /// A Secret beside the operator that somebody else writes authorities into (`tls.crt`, `tls.key`), as cert-manager does; the operator makes
    /// them itself when empty.
    #[arg(long, env = "MONSTRUM_AUTHORITY_SECRET", default_value = "")]
    pub authority_secret: String,

    /// How many seconds each step of a change of the authority is given to be in force everywhere, once all Secrets are written:
    /// longer than kubelets take to refresh what they mounted.
    #[arg(long, env = "MONSTRUM_AUTHORITY_SETTLE_SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(30..=86_400))]
    pub authority_settle_seconds: u64,

    /// The namespace whose pods may read the metrics of bots' pods (a Prometheus runs there); nobody may when empty.
    #[arg(long, env = "MONSTRUM_METRICS_NAMESPACE", default_value = "")]
    pub metrics_namespace: String,

    /// What every pod of bots and channels gets where its object says nothing else, as JSON of the same form as a Bot's
    /// `spec.gateway.pod`.
    #[arg(long, env = "MONSTRUM_POD_DEFAULTS", default_value = "{}", value_parser = pod_settings)]
    pub pod_defaults: PodSettings,

    /// What objects may say about their pods, as JSON with `tolerations`, `nodeSelector` (label: values), `runtimeClassNames`,
    /// `priorityClassNames`, `topologyKeys`, `labels`, `annotations`, `env`, `imagePullSecrets` and `securityContext`; what is not
    /// listed is not permitted.
    #[arg(long, env = "MONSTRUM_POD_PLACEMENT", default_value = "{}", value_parser = placement)]
    pub pod_placement: Placement,

    /// Labels of every object that is made for bots and channels, as JSON.
    #[arg(long, env = "MONSTRUM_COMMON_LABELS", default_value = "{}", value_parser = labels)]
    pub common_labels: Labels,

    /// The value of the label `app.kubernetes.io/name` of the pods of operator and ledger.
    #[arg(long, env = "MONSTRUM_SYSTEM_NAME", default_value = "monstrum")]
    pub system_name: String,

    /// The cluster's DNS domain.
    #[arg(long, env = "MONSTRUM_CLUSTER_DOMAIN", default_value = CLUSTER_DOMAIN)]
    pub cluster_domain: String,

    /// Where pods resolve names, as JSON with `namespace`, `podLabels`, `addresses` and `ports`.
    #[arg(long, env = "MONSTRUM_DNS", default_value = "{}", value_parser = Dns::read)]
    pub dns: Dns,

    /// The address families of Services.
    #[arg(long, env = "MONSTRUM_IP_FAMILY_POLICY", default_value = "PreferDualStack", value_parser = ["SingleStack", "PreferDualStack", "RequireDualStack"])]
    pub ip_family_policy: String,

    /// What the pods of bots and channels run.
    #[command(flatten)]
    pub images: ImageArgs,
}

/// When one of several operators leads.
#[derive(Debug, Clone, clap::Args)]
pub struct LeaseArgs {
    /// How many seconds after its last renewal a leader's lease may be taken by another.
    #[arg(long = "lease-seconds", env = "MONSTRUM_LEASE_SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(5..=600))]
    pub length: u64,

    /// After how many seconds without a renewal a leader ends; shorter than the lease, by the retry period at least.
    #[arg(long = "lease-renew-seconds", env = "MONSTRUM_LEASE_RENEW_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(3..=600))]
    pub deadline: u64,

    /// How often the lease is renewed, or asked for, in seconds; a third of the former at most.
    #[arg(long = "lease-retry-seconds", env = "MONSTRUM_LEASE_RETRY_SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub retry: u64,
}

/// How much of what others write is kept in memory.
#[derive(Debug, Clone, clap::Args)]
pub struct MemoryArgs {
    /// How many mebibytes of one namespace's objects and Secrets' metadata are kept; where there is more, nothing there is in force.
    #[arg(long, env = "MONSTRUM_NAMESPACE_MEBIBYTES", default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..=1024))]
    pub namespace_mebibytes: u32,

    /// How many mebibytes of all namespaces' together are kept; where there is more, the largest namespace gives way. A process
    /// takes about four times as much.
    #[arg(long, env = "MONSTRUM_TOTAL_MEBIBYTES", default_value_t = 32, value_parser = clap::value_parser!(u32).range(2..=65_536))]
    pub total_mebibytes: u32,
}

impl MemoryArgs {
    /// In bytes.
    pub fn budget(&self) -> Budget {
        let bytes = |mebibytes: u32| usize::try_from(u64::from(mebibytes) << 20).unwrap_or(usize::MAX);
        Budget::new(bytes(self.namespace_mebibytes), bytes(self.total_mebibytes))
    }
}

/// What the pods of bots and channels run.
#[derive(Debug, Clone, clap::Args)]
pub struct ImageArgs {
    /// The image of gateways and channels.
    #[arg(long, env = "MONSTRUM_GATEWAY_IMAGE")]
    pub gateway_image: String,

    /// The image of runners, which also brings the runner into sandboxes.
    #[arg(long, env = "MONSTRUM_RUNNER_IMAGE")]
    pub runner_image: String,

    /// When these images are pulled.
    #[arg(long, env = "MONSTRUM_IMAGE_PULL_POLICY", default_value = "IfNotPresent", value_parser = ["Always", "IfNotPresent", "Never"])]
    pub image_pull_policy: String,
}

impl LeaseArgs {
    /// The times of the election.
    pub fn timing(&self) -> Result<Timing, TimingError> {
        Timing::new(self.length, self.deadline, self.retry)
    }
}

impl OperatorArgs {
    /// How long a policy holds from when it was last known to be current.
    pub fn policy_lease(&self) -> Duration {
        Duration::from_secs(u64::from(self.policy_lease_seconds))
    }

    /// Where authorities come from.
    pub fn authority_source(&self) -> Source {
        if self.authority_secret.is_empty() {
            let lifetime = Duration::from_secs(self.authority_days.saturating_mul(86_400));
            return Source::Own { lifetime };
        }
        Source::Secret {
            name: self.authority_secret.clone(),
        }
    }

    /// How long each step of a change of the authority takes at least.
    pub fn authority_settle(&self) -> Duration {
        Duration::from_secs(self.authority_settle_seconds)
    }

    /// How long a certificate is valid.
    pub fn certificate_lifetime(&self) -> Duration {
        Duration::from_secs(self.certificate_hours.saturating_mul(3600))
    }
}

impl AsRef<ServiceArgs> for OperatorArgs {
    fn as_ref(&self) -> &ServiceArgs {
        &self.service
    }
}

fn placement(text: &str) -> Result<Placement, serde_json::Error> {
    serde_json::from_str(text)
}

/// The containers of pods that the operator makes.
const CONTAINERS: [&str; 5] = ["gateway", "runner", "channel", "sandbox", "inject"];

fn pod_settings(text: &str) -> Result<PodSettings, String> {
    let settings = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let faults = pod::faults("pod", &settings, &CONTAINERS);
    if faults.is_empty() {
        return Ok(settings);
    }
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Err(faults.join("; "))
}

fn labels(text: &str) -> Result<Labels, String> {
    let settings = PodSettings {
        labels: serde_json::from_str(text).map_err(|error| error.to_string())?,
        ..PodSettings::default()
    };
    let faults = pod::faults("common", &settings, &[]);
    match faults.first() {
        Some(fault) => Err(fault.to_string()),
        None => Ok(settings.labels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser as _};

    const IMAGES: [&str; 4] = ["--gateway-image", "g:1", "--runner-image", "r:1"];

    fn parse(more: &[&str]) -> Result<OperatorArgs, clap::Error> {
        OperatorArgs::try_parse_from(["monstrum-operator"].iter().chain(&IMAGES).chain(more))
    }

    #[test]
    fn the_flags_are_consistent() {
        OperatorArgs::command().debug_assert();
    }

    #[test]
    fn values_of_annotations_have_commas() {
        let args = parse(&[
            "--pod-defaults",
            r#"{"annotations": {"acme.example/owners": "ann, bob=1"}}"#,
        ])
        .unwrap();
        assert_eq!(args.pod_defaults.annotations["acme.example/owners"], "ann, bob=1");
    }

    #[test]
    fn defaults_of_pods_replace_nothing_of_ours() {
        for settings in [
            r#"{"labels": {"app.kubernetes.io/component": "operator"}}"#,
            r#"{"containers": {"gateway": {"env": {"MONSTRUM_OPERATOR": "https://evil.example"}}}}"#,
            r#"{"containers": {"gatevay": {}}}"#,
            r#"{"hostNetwork": true}"#,
        ] {
            assert!(parse(&["--pod-defaults", settings]).is_err(), "{settings}");
        }
        assert!(parse(&["--common-labels", r#"{"monstrum.dev/bot": "other"}"#]).is_err());
    }

    #[test]
    fn a_pod_has_an_address_of_each_family() {
        let args = parse(&["--pod-addresses", "10.0.0.1,fd00::1"]).unwrap();
        assert_eq!(args.pod_addresses.len(), 2);
        assert!(parse(&[]).unwrap().pod_addresses.is_empty());
    }

    #[test]
    fn pods_are_placed_as_the_installation_permits() {
        assert_eq!(parse(&[]).unwrap().pod_placement, Placement::default());
        let args = parse(&["--pod-placement", r#"{"runtimeClassNames": ["gvisor"]}"#]).unwrap();
        assert!(args.pod_placement.runs_as("gvisor"));
        assert!(parse(&["--pod-placement", r#"{"runtimeClasses": []}"#]).is_err());
    }

    #[test]
    fn the_times_of_the_election_are_settings() {
        assert_eq!(parse(&[]).unwrap().lease.timing(), Ok(Timing::default()));
        let settings = [
            "--lease-seconds",
            "60",
            "--lease-renew-seconds",
            "40",
            "--lease-retry-seconds",
            "5",
        ];
        assert_eq!(parse(&settings).unwrap().lease.timing(), Timing::new(60, 40, 5));
        assert!(parse(&["--lease-seconds", "9"]).unwrap().lease.timing().is_err());
        assert!(parse(&["--lease-retry-seconds", "0"]).is_err());
    }

    #[test]
    fn a_lease_that_could_not_be_renewed_in_time_is_refused() {
        assert!(parse(&["--policy-lease-seconds", "1"]).is_err());
        assert!(parse(&["--policy-lease-seconds", "14"]).is_err());
    }
}
