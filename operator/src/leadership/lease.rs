//! The rules of the lease, without a clock of their own and without I/O.

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use super::Timing;

/// 2024-01-01T00:00:00Z, in seconds since 1970.
const FIRST_SECOND: i64 = 1_704_067_200;

/// What a candidate has seen of a lease that somebody else holds. Time is counted from when a version was first
/// seen here, so that clocks of other nodes do not matter.
#[derive(Debug, Default)]
pub(super) struct Observed {
    version: Option<String>,
    since: Option<Instant>,
}

impl Observed {
    /// Whether the lease, as it is now, has not been renewed for its whole length.
    pub(super) fn has_expired(&mut self, lease: &Lease, now: Instant, timing: &Timing) -> bool {
        let version = lease.metadata.resource_version.clone();
        if self.version != version || self.since.is_none() {
            self.version = version;
            self.since = Some(now);
        }
        let length = lease
            .spec
            .as_ref()
            .and_then(|spec| spec.lease_duration_seconds)
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(timing.length, std::time::Duration::from_secs);
        self.since
            .is_some_and(|since| now.duration_since(since) >= length)
    }
}

/// Who holds the lease; none when it was given back.
pub(super) fn holder(lease: &Lease) -> Option<&str> {
    lease
        .spec
        .as_ref()?
        .holder_identity
        .as_deref()
        .filter(|holder| !holder.is_empty())
}

/// The number of transitions, which is the epoch of the holder's policies.
pub(super) fn transitions(lease: &Lease) -> i32 {
    lease
        .spec
        .as_ref()
        .and_then(|spec| spec.lease_transitions)
        .unwrap_or(0)
}

/// A first lease. Its transitions begin at the clock, so that no epoch comes back when somebody deletes the lease.
pub(super) fn first(name: &str, holder: &str, now: Timestamp, timing: &Timing) -> Lease {
    let seconds = now.as_second().saturating_sub(FIRST_SECOND);
    let mut lease = Lease::default();
    lease.metadata.name = Some(name.to_owned());
    lease.spec = Some(held(
        holder,
        i32::try_from(seconds).unwrap_or(0),
        now,
        now,
        timing,
    ));
    lease
}

/// The same lease, taken over.
pub(super) fn taken(lease: &Lease, holder: &str, now: Timestamp, timing: &Timing) -> Lease {
    let spec = held(holder, transitions(lease).saturating_add(1), now, now, timing);
    Lease {
        metadata: lease.metadata.clone(),
        spec: Some(spec),
    }
}

/// The same lease, renewed by its holder.
pub(super) fn renewed(lease: &Lease, holder: &str, now: Timestamp, timing: &Timing) -> Lease {
    let acquired = lease
        .spec
        .as_ref()
        .and_then(|spec| spec.acquire_time.as_ref())
        .map_or(now, |time| time.0);
    let spec = held(holder, transitions(lease), acquired, now, timing);
    Lease {
        metadata: lease.metadata.clone(),
        spec: Some(spec),
    }
}

/// The same lease, given back.
pub(super) fn released(lease: &Lease, now: Timestamp) -> Lease {
    let mut released = lease.clone();
    let spec = released.spec.get_or_insert_default();
    spec.holder_identity = Some(String::new());
    spec.renew_time = Some(MicroTime(now));
    released
}

fn held(
    holder: &str,
    transitions: i32,
    acquired: Timestamp,
    renewed: Timestamp,
    timing: &Timing,
) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(holder.to_owned()),
        lease_duration_seconds: i32::try_from(timing.length.as_secs()).ok(),
        lease_transitions: Some(transitions),
        acquire_time: Some(MicroTime(acquired)),
        renew_time: Some(MicroTime(renewed)),
        ..LeaseSpec::default()
    }
}
