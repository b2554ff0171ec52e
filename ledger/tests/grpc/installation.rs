//! A ledger that serves, and certificates for those who call it.

use std::sync::Arc;
use std::time::Duration;

use monstrum_ledger::api::{self, Api};
use monstrum_ledger::clock::Clock;
use monstrum_ledger::metrics::Metrics;
use monstrum_ledger::store::StoreError;
use monstrum_ledger::store::sqlite::SqliteStore;
use monstrum_service::authority::Authority;
use monstrum_service::{Pem, Service, Tls};
use monstrum_wire::identity::{BotName, Identity};
use monstrum_wire::ledger::audit_client::AuditClient;
use monstrum_wire::ledger::ledger_client::LedgerClient;
use monstrum_wire::ledger::{AcquireSessionRequest, AuditRecord, Counter, CounterOf, ReadRequest};
use prometheus_client::registry::Registry;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

const DOMAIN: &str = "monstrum.local";
const HOUR: Duration = Duration::from_hours(1);

/// Everything that a test needs; it ends with the test.
pub(crate) struct Installation {
    pub(crate) authority: Authority,
    pub(crate) service: Service,
    pub(crate) writer: JoinHandle<Result<(), StoreError>>,
    pub(crate) server: JoinHandle<Result<(), tonic::transport::Error>>,
    pub(crate) registry: Registry,
    address: String,
    _data: TempDir,
}

impl Installation {
    pub(crate) async fn start() -> Self {
        monstrum_service::install_crypto();
        let data = tempfile::tempdir().unwrap();
        let authority = Authority::generate(DOMAIN).unwrap();
        let pem = authority
            .issue(&Identity::Ledger, &["localhost", "127.0.0.1"], HOUR)
            .unwrap();
        let tls = Tls::from_pem(&pem, DOMAIN).unwrap();
        let incoming = tls.listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = format!("https://127.0.0.1:{}", incoming.local_addr().port());
        let metrics = Metrics::default();
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let (store, writer) = SqliteStore::open(data.path(), metrics.commit_observer())
            .await
            .unwrap();
        let service = Service::default();
        let api = Api::new(store, Clock::default(), metrics, service.shutdown());
        Self {
            authority,
            service,
            writer: tokio::spawn(writer.run()),
            server: tokio::spawn(api::serve(incoming, api)),
            registry,
            address,
            _data: data,
        }
    }

    /// A connection that shows the certificate of `identity`, signed by `authority`.
    pub(crate) fn channel_of(&self, authority: &Authority, identity: &Identity) -> Channel {
        let issued = authority.issue(identity, &[], HOUR).unwrap();
        let pem = Pem {
            authority: self.authority.certificate_pem().to_owned(),
            ..issued
        };
        Tls::from_pem(&pem, DOMAIN)
            .unwrap()
            .channel(&self.address)
            .unwrap()
    }

    pub(crate) fn ledger(&self, identity: &Identity) -> LedgerClient<Channel> {
        LedgerClient::new(self.channel_of(&self.authority, identity))
    }

    pub(crate) fn audit(&self, identity: &Identity) -> AuditClient<Channel> {
        AuditClient::new(self.channel_of(&self.authority, identity))
    }

    /// The bot's whole chain, as its own gateway reads it.
    pub(crate) async fn chain(&self, identity: &Identity) -> Vec<AuditRecord> {
        let mut stream = self
            .audit(identity)
            .read(ReadRequest::default())
            .await
            .unwrap()
            .into_inner();
        let mut records = Vec::new();
        while let Some(record) = stream.message().await.unwrap() {
            records.push(record);
        }
        records
    }
}

pub(crate) fn gateway(name: &str) -> Identity {
    Identity::Gateway(bot_name(name))
}

pub(crate) fn bot_name(name: &str) -> BotName {
    BotName {
        namespace: "team-a".to_owned(),
        name: name.to_owned(),
    }
}

pub(crate) fn code<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> Code {
    answer.map_or_else(
        |status| status.code(),
        |answer| panic!("answered with {answer:?}"),
    )
}

pub(crate) fn acquire(session: &str, holder: &str) -> AcquireSessionRequest {
    AcquireSessionRequest {
        session: session.to_owned(),
        holder: holder.to_owned(),
        ttl_seconds: 60,
        user: "u1".to_owned(),
        channel: "inbox".to_owned(),
        ..AcquireSessionRequest::default()
    }
}

pub(crate) fn record(kind: &str) -> AuditRecord {
    AuditRecord {
        kind: kind.to_owned(),
        ..AuditRecord::default()
    }
}

pub(crate) fn calls(amount: u64, limit: u64) -> Vec<Counter> {
    vec![Counter {
        of: CounterOf::Grant.into(),
        binding: "github".to_owned(),
        grant: "g".to_owned(),
        quota: "calls".to_owned(),
        window_seconds: 3600,
        amount,
        limit,
    }]
}

/// Told of commits, and does nothing with it.
pub(crate) fn unobserved() -> monstrum_ledger::store::sqlite::CommitObserver {
    Arc::new(|_, _| ())
}
