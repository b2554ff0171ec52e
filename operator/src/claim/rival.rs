//! Whether another installation lives, by its leader's lease.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, ResourceExt};
use tokio::time::{Instant, timeout};

use super::{GOVERNS, Reach};

/// An installation whose lease nobody writes for this long is dead, whatever the lease says: longer than an upgrade or the election
/// of another leader takes.
const DEAD_AFTER: Duration = Duration::from_secs(60);
/// How often it is looked.
const EVERY: Duration = Duration::from_secs(5);
/// The answer of the API server.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is known of another installation. Time counts from when a version of its lease was first seen here, so that clocks of
/// other nodes don't matter.
#[derive(Debug, Default)]
pub(super) struct Rival {
    looked: Option<Instant>,
    /// Of the lease; none where there is none.
    version: Option<String>,
    since: Option<Instant>,
    length: Duration,
    reach: Reach,
}

impl Rival {
    /// Looks, if it is time to.
    pub(super) async fn look(&mut self, client: &Client, installation: &str, lease: &str) {
        if self.looked.is_some_and(|looked| looked.elapsed() < EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        let leases: Api<Lease> = Api::namespaced(client.clone(), installation);
        match timeout(PATIENCE, leases.get_opt(lease)).await {
            Ok(Ok(found)) => self.saw(found.as_ref()),
            Ok(Err(error)) => {
                // Who can't be seen may live.
                self.since = None;
                tracing::warn!(%installation, error = %error, "another installation's lease can't be read");
            }
            Err(_) => self.since = None,
        }
    }

    fn saw(&mut self, lease: Option<&Lease>) {
        let version = lease.and_then(ResourceExt::resource_version);
        if self.since.is_none() || self.version != version {
            self.version = version;
            self.since = Some(Instant::now());
        }
        let seconds = lease.and_then(|lease| lease.spec.as_ref()?.lease_duration_seconds);
        self.length = Duration::from_secs(
            seconds
                .and_then(|seconds| u64::try_from(seconds).ok())
                .unwrap_or(0),
        );
        self.reach = Reach::of_text(
            lease
                .and_then(|lease| lease.annotations().get(GOVERNS))
                .map(String::as_str),
        );
    }

    /// Whether it governs a namespace no longer: it is dead, or says so itself.
    pub(super) fn gave_up(&self, namespace: &str) -> bool {
        let Some(since) = self.since else {
            return false;
        };
        since.elapsed() >= self.length.max(DEAD_AFTER) || !self.reach.covers(namespace)
    }
}
