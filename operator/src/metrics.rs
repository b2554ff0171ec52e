//! What the operator counts: `monstrum_operator_*`.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use monstrum_crds::object::Kind;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::index::Index;

/// How often objects are counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);
/// Upper bounds in seconds, for what should stay far below one.
const SECONDS: [f64; 12] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 30.0];

/// The operator's counters; clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    reconciles: Family<ReconcileLabels, Counter>,
    writes: Family<WriteLabels, Counter>,
    acks: Family<AckLabels, Counter>,
    leases: Family<LeaseLabels, Counter>,
    admissions: Family<AdmissionLabels, Counter>,
    /// New policies.
    pub policies_published: Counter,
    /// From the sight of a change to the acknowledgement of the policy that it led to, per gateway.
    pub change_to_enforced: Histogram,
    /// How long compiling one namespace took.
    pub compile_seconds: Histogram,
    /// Whether this process leads.
    pub leading: Gauge,
    objects: Family<ObjectLabels, Gauge<i64>>,
    watch_failures: Family<WatchLabels, Counter>,
    watch_lists: Family<WatchLabels, Counter>,
    watch_age: Family<WatchLabels, Gauge<f64, AtomicU64>>,
    /// Namespaces whose policies are not renewed.
    pub stale_namespaces: Gauge,
    authority_expiration: Gauge,
    authorities_trusted: Gauge,
    authority_awaited: Gauge,
    followed: Family<NamespaceLabels, Gauge>,
    kept_bytes: Gauge,
    governed_by_others: Gauge,
}

/// How a reconcile ended: well, or with an error of one of the classes that decide what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Outcome {
    /// Everything is as it should be.
    Done,
    /// Tried again with back-off.
    Transient,
    /// The API server refused what we wrote: our fault.
    Internal,
}

/// What came of a request for a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum LeaseOutcome {
    /// Handed out.
    Granted,
    /// Nothing of this caller's policy.
    NotFound,
    /// Named, but of another version, or it can't be opened.
    Unopenable,
    /// The API server did not answer.
    Failed,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Written {
    /// A status.
    Status,
    /// An object of ours.
    Object,
    /// A deletion of an object of ours.
    Deletion,
    /// An event.
    Event,
}

/// A kind as a label's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct KindLabel(Kind);

impl EncodeLabelValue for KindLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.as_str().encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    kind: KindLabel,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    written: Written,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AckLabels {
    loaded: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LeaseLabels {
    outcome: LeaseOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AdmissionLabels {
    allowed: bool,
}

/// One of the kinds that are watched: ours, our objects', `Secret`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WatchLabels {
    kind: &'static str,
}

/// One of the namespaces that the installation names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NamespaceLabels {
    namespace: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ObjectLabels {
    kind: KindLabel,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            reconciles: Family::default(),
            writes: Family::default(),
            acks: Family::default(),
            leases: Family::default(),
            admissions: Family::default(),
            policies_published: Counter::default(),
            change_to_enforced: Histogram::new(SECONDS),
            compile_seconds: Histogram::new(SECONDS),
            leading: Gauge::default(),
            objects: Family::default(),
            watch_failures: Family::default(),
            watch_lists: Family::default(),
            watch_age: Family::default(),
            stale_namespaces: Gauge::default(),
            authority_expiration: Gauge::default(),
            authorities_trusted: Gauge::default(),
            authority_awaited: Gauge::default(),
            followed: Family::default(),
            kept_bytes: Gauge::default(),
            governed_by_others: Gauge::default(),
        }
    }
}

impl Metrics {
    /// Counters in `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let registry = registry.sub_registry_with_prefix("monstrum_operator");
        registry.register(
            "reconciles",
            "Reconciles by kind and outcome",
            metrics.reconciles.clone(),
        );
        registry.register("writes", "Writes to the API server", metrics.writes.clone());
        registry.register(
            "policy_acks",
            "Acknowledgements of policies by gateways",
            metrics.acks.clone(),
        );
        registry.register(
            "credential_leases",
            "Requests for credentials by outcome",
            metrics.leases.clone(),
        );
        registry.register(
            "admissions",
            "Admission reviews by answer",
            metrics.admissions.clone(),
        );
        registry.register(
            "policies_published",
            "New policies",
            metrics.policies_published.clone(),
        );
        registry.register(
            "change_to_enforced_seconds",
            "From the sight of a change to its acknowledgement by a gateway",
            metrics.change_to_enforced.clone(),
        );
        registry.register(
            "compile_seconds",
            "Compiling one namespace",
            metrics.compile_seconds.clone(),
        );
        registry.register("leading", "Whether this process leads", metrics.leading.clone());
        registry.register("objects", "Objects by kind", metrics.objects.clone());
        metrics.register_watches(registry);
        metrics.register_trust(registry);
        metrics
    }

    /// Counts a reconcile.
    pub fn reconciled(&self, kind: Kind, outcome: Outcome) {
        self.reconciles
            .get_or_create(&ReconcileLabels {
                kind: KindLabel(kind),
                outcome,
            })
            .inc();
    }

    /// Counts a write to the API server.
    pub fn wrote(&self, written: Written) {
        self.writes.get_or_create(&WriteLabels { written }).inc();
    }

    /// Counts an acknowledgement.
    pub fn acknowledged(&self, loaded: bool) {
        self.acks.get_or_create(&AckLabels { loaded }).inc();
    }

    /// Counts a request for a credential.
    pub fn leased(&self, outcome: LeaseOutcome) {
        self.leases.get_or_create(&LeaseLabels { outcome }).inc();
    }

    /// Counts an admission review.
    pub fn admitted(&self, allowed: bool) {
        self.admissions.get_or_create(&AdmissionLabels { allowed }).inc();
    }

    /// Keeps telling that this process leads, and how many objects there are. Runs until dropped.
    pub async fn count(&self, index: &Index) {
        self.leading.set(1);
        loop {
            for kind in Kind::ALL {
                let objects = i64::try_from(index.places(kind).len()).unwrap_or(i64::MAX);
                self.objects
                    .get_or_create(&ObjectLabels {
                        kind: KindLabel(kind),
                    })
                    .set(objects);
            }
            tokio::time::sleep(COUNT_EVERY).await;
        }
    }

    fn register_watches(&self, registry: &mut Registry) {
        registry.register(
            "watch_failures",
            "Lists, watches and probes that came to nothing, by kind",
            self.watch_failures.clone(),
        );
        registry.register(
            "watch_lists",
            "Complete lists that were begun, by kind",
            self.watch_lists.clone(),
        );
        registry.register(
            "watch_age_seconds",
            "Since when a kind is not known to be current; infinite before its first proof",
            self.watch_age.clone(),
        );
        registry.register(
            "stale_namespaces",
            "Namespaces whose policies are not renewed, as the leader sees them",
            self.stale_namespaces.clone(),
        );
        registry.register(
            "namespace_followed",
            "Whether a namespace of the configured ones can be followed",
            self.followed.clone(),
        );
        registry.register(
            "kept_bytes",
            "Objects and Secrets' metadata that are kept, as JSON",
            self.kept_bytes.clone(),
        );
        registry.register(
            "namespaces_of_others",
            "Watched namespaces that another installation governs, as the leader sees them",
            self.governed_by_others.clone(),
        );
    }

    /// Says how many of the watched namespaces are governed by other installations.
    pub fn governed_by_others(&self, namespaces: usize) {
        let namespaces = i64::try_from(namespaces).unwrap_or(i64::MAX);
        self.governed_by_others.set(namespaces);
    }

    /// Says whether one of the configured namespaces can be followed.
    pub fn followed(&self, namespace: &str, followed: bool) {
        let labels = NamespaceLabels {
            namespace: namespace.to_owned(),
        };
        self.followed.get_or_create(&labels).set(i64::from(followed));
    }

    /// Says how many bytes are kept.
    pub fn kept(&self, bytes: usize) {
        self.kept_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    fn register_trust(&self, registry: &mut Registry) {
        registry.register(
            "authority_expiration_timestamp_seconds",
            "When the authority that signs ends, in seconds since 1970",
            self.authority_expiration.clone(),
        );
        registry.register(
            "authorities_trusted",
            "Authorities whose certificates are trusted: more than one while one takes another's place",
            self.authorities_trusted.clone(),
        );
        registry.register(
            "authority_step_awaits",
            "Certificates that a step to another authority waits for, as the leader sees them",
            self.authority_awaited.clone(),
        );
    }

    /// Says when the authority ends, and how many are trusted.
    pub fn trusts(&self, ends: i64, trusted: usize) {
        self.authority_expiration.set(ends);
        self.authorities_trusted
            .set(i64::try_from(trusted).unwrap_or(i64::MAX));
    }

    /// Says how many certificates a step waits for.
    pub fn trust_awaits(&self, certificates: usize) {
        self.authority_awaited
            .set(i64::try_from(certificates).unwrap_or(i64::MAX));
    }

    /// Counts a watch that was begun anew.
    pub fn watch_failed(&self, kind: &'static str) {
        self.watch_failures.get_or_create(&WatchLabels { kind }).inc();
    }

    /// Counts a list.
    pub fn listed(&self, kind: &'static str) {
        self.watch_lists.get_or_create(&WatchLabels { kind }).inc();
    }

    /// Says how long ago a kind was known to be current.
    pub fn watch_aged(&self, kind: &'static str, age: Option<Duration>) {
        let seconds = age.map_or(f64::INFINITY, |age| age.as_secs_f64());
        self.watch_age.get_or_create(&WatchLabels { kind }).set(seconds);
    }
}
