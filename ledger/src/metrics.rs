//! What the ledger counts. Labels are closed enums: no bot, session or tool is ever one.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::sqlite::CommitObserver;
use crate::upkeep::{Rows, Swept};

/// The requests that are told apart.
#[expect(missing_docs, reason = "each is the RPC of its name")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Method {
    Append,
    AcquireSession,
    RenewSession,
    AdvanceSession,
    ReleaseSession,
    StartCall,
    FinishCall,
    UnfinishedCalls,
    SumUsage,
    TakeOnce,
    HoldOnce,
    SettleOnce,
    AcceptMessage,
    ClaimMessages,
    RenewMessage,
    FinishMessage,
    QuotaUse,
    Reserve,
    Settle,
    Read,
    Head,
}

/// The ways in which a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Class {
    /// The caller has no identity here, or one that may not call.
    Forbidden,
    /// The request is malformed.
    Invalid,
    /// It names what is not there.
    Unknown,
    /// It does not fit the present state.
    Conflict,
    /// A quota is used up.
    Exhausted,
    /// The database failed.
    Failure,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabel {
    method: Method,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    method: Method,
    class: Class,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Table {
    AuditRecords,
    Sessions,
    UnfinishedCalls,
    TakenIds,
    AcceptedMessages,
    OpenReservations,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TableLabel {
    table: Table,
}

/// All metrics of the process.
#[derive(Debug, Clone)]
pub struct Metrics {
    appends: Counter,
    requests: Family<MethodLabel, Histogram, fn() -> Histogram>,
    errors: Family<ErrorLabels, Counter>,
    commits: Histogram,
    group: Histogram,
    rows: Family<TableLabel, Gauge>,
    expired_reservations: Counter,
    forgotten_rows: Counter,
    maintenance_failures: Counter,
}

/// From 0.1 ms to 3.3 s.
fn latency() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 2.0, 16))
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            appends: Counter::default(),
            requests: Family::new_with_constructor(latency),
            errors: Family::default(),
            commits: latency(),
            group: Histogram::new(exponential_buckets(1.0, 2.0, 7)),
            rows: Family::default(),
            expired_reservations: Counter::default(),
            forgotten_rows: Counter::default(),
            maintenance_failures: Counter::default(),
        }
    }
}

impl Metrics {
    /// Names them in the registry.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("monstrum_ledger");
        registry.register("appends", "Audit records written", self.appends.clone());
        registry.register_with_unit(
            "request",
            "Time to answer a request",
            Unit::Seconds,
            self.requests.clone(),
        );
        registry.register(
            "errors",
            "Requests that were refused or failed",
            self.errors.clone(),
        );
        registry.register_with_unit(
            "commit",
            "Time to make a group of writes durable",
            Unit::Seconds,
            self.commits.clone(),
        );
        registry.register("commit_writes", "Writes that shared a commit", self.group.clone());
        registry.register("rows", "Rows in the database", self.rows.clone());
        registry.register(
            "expired_reservations",
            "Reservations that ran out unsettled and became use",
            self.expired_reservations.clone(),
        );
        registry.register(
            "forgotten_rows",
            "Rows deleted as expired",
            self.forgotten_rows.clone(),
        );
        registry.register(
            "maintenance_failures",
            "Maintenance rounds that failed",
            self.maintenance_failures.clone(),
        );
    }

    /// What the writer reports its commits to.
    pub fn commit_observer(&self) -> CommitObserver {
        let (commits, group) = (self.commits.clone(), self.group.clone());
        Arc::new(move |writes, took: Duration| {
            commits.observe(took.as_secs_f64());
            group.observe(f64::from(u32::try_from(writes).unwrap_or(u32::MAX)));
        })
    }

    pub(crate) fn appended(&self, records: usize) {
        self.appends.inc_by(u64::try_from(records).unwrap_or(u64::MAX));
    }

    pub(crate) fn answered(&self, method: Method, took: Duration, error: Option<Class>) {
        self.requests
            .get_or_create(&MethodLabel { method })
            .observe(took.as_secs_f64());
        if let Some(class) = error {
            self.errors.get_or_create(&ErrorLabels { method, class }).inc();
        }
    }

    pub(crate) fn swept(&self, swept: Swept) {
        self.expired_reservations.inc_by(swept.expired_reservations);
        self.forgotten_rows.inc_by(swept.forgotten_rows);
    }

    pub(crate) fn maintenance_failed(&self) {
        self.maintenance_failures.inc();
    }

    pub(crate) fn set_rows(&self, rows: Rows) {
        for (table, count) in [
            (Table::AuditRecords, rows.audit_records),
            (Table::Sessions, rows.sessions),
            (Table::UnfinishedCalls, rows.unfinished_calls),
            (Table::TakenIds, rows.taken_ids),
            (Table::AcceptedMessages, rows.accepted_messages),
            (Table::OpenReservations, rows.open_reservations),
        ] {
            self.rows
                .get_or_create(&TableLabel { table })
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}
