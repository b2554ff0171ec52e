//! A ledger that serves, and certificates for those who call it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use monstrum_ledger::api::{self, Api};
use monstrum_ledger::clock::Clock;
use monstrum_ledger::metrics::Metrics;
use monstrum_ledger::sqlite::SqliteStore;
use monstrum_ledger::store::StoreError;
use monstrum_service::authority::Authority;
use monstrum_service::{Channel, Connections, Pem, Roster, Service, Tls};
use monstrum_wire::identity::{BotId, ChannelId, Identity};
use monstrum_wire::ledger::audit_client::AuditClient;
use monstrum_wire::ledger::ledger_client::LedgerClient;
use monstrum_wire::ledger::{AcquireSessionRequest, AuditRecord, Counter, CounterOf, ReadRequest};
use monstrum_wire::policy::{Certificate, Member, Roster as Enrolled};
use prometheus_client::registry::Registry;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tonic::{Code, Response, Status};

const DOMAIN: &str = "monstrum.local";
const HOUR: Duration = Duration::from_hours(1);
const EPOCH: u64 = 1;

/// Everything that a test needs; it ends with the test.
pub(crate) struct Installation {
    pub(crate) authority: Authority,
    pub(crate) service: Service,
    pub(crate) writer: JoinHandle<Result<(), StoreError>>,
    pub(crate) server: JoinHandle<Result<(), tonic::transport::Error>>,
    pub(crate) registry: Registry,
    pub(crate) roster: Roster,
    pub(crate) connections: Connections,
    members: Mutex<BTreeMap<Identity, Member>>,
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
        let (roster, connections) = (Roster::default(), incoming.connections());
        roster.take(EPOCH, true, &[], HOUR).unwrap();
        let api = Api::new(
            store,
            roster.clone(),
            Clock::default(),
            metrics,
            service.shutdown(),
        );
        Self {
            authority,
            service,
            writer: tokio::spawn(writer.run()),
            server: tokio::spawn(api::serve(incoming, api)),
            registry,
            roster,
            connections,
            members: Mutex::default(),
            address,
            _data: data,
        }
    }

    /// A connection that shows a certificate of `identity`, signed by `authority`; the roster has it, and those before.
    pub(crate) fn channel_of(&self, authority: &Authority, identity: &Identity) -> Channel {
        let issued = authority.issue(identity, &[], HOUR).unwrap();
        self.enrol(identity, issued.serial().unwrap().to_string());
        let pem = Pem {
            authority: self.authority.certificate_pem().to_owned(),
            ..issued
        };
        Tls::from_pem(&pem, DOMAIN)
            .unwrap()
            .channel(&self.address, &Identity::Ledger)
            .unwrap()
    }

    /// The object of this identity lives, and this is one of its certificates.
    fn enrol(&self, identity: &Identity, serial: String) {
        let Some(namespace) = identity.namespace() else {
            return;
        };
        let mut members = self.members.lock().unwrap();
        let member = members.entry(identity.clone()).or_insert_with(|| Member {
            identity: identity.to_string(),
            certificates: Vec::new(),
            workspace: UID.to_owned(),
        });
        member.certificates.push(Certificate {
            serial,
            good_seconds: 0,
        });
        drop(members);
        self.enrol_anew(namespace);
    }

    /// The object of this identity is deleted.
    pub(crate) fn dismiss(&self, identity: &Identity) {
        self.members.lock().unwrap().remove(identity);
        self.enrol_anew(identity.namespace().unwrap());
    }

    /// Every certificate that was issued for this identity is withdrawn.
    pub(crate) fn withdraw_certificates(&self, identity: &Identity) {
        self.members
            .lock()
            .unwrap()
            .get_mut(identity)
            .unwrap()
            .certificates
            .clear();
        self.enrol_anew(identity.namespace().unwrap());
    }

    fn enrol_anew(&self, namespace: &str) {
        let members = self.members.lock().unwrap();
        let of = members.iter().filter(|(of, _)| of.namespace() == Some(namespace));
        let enrolled = Enrolled {
            namespace: namespace.to_owned(),
            members: of.map(|(_, member)| member.clone()).collect(),
        };
        drop(members);
        self.roster.take(EPOCH, false, &[enrolled], HOUR).unwrap();
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

pub(crate) const UID: &str = "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11";
pub(crate) const LATER_UID: &str = "c0b1f6d2-33a5-4c0e-9a61-5d2b0a4be0a7";

pub(crate) fn bot_name(name: &str) -> BotId {
    BotId {
        namespace: "team-a".to_owned(),
        name: name.to_owned(),
        uid: UID.parse().unwrap(),
    }
}

/// The bot that came later under the same name.
pub(crate) fn namesake(name: &str) -> Identity {
    Identity::Gateway(BotId {
        uid: LATER_UID.parse().unwrap(),
        ..bot_name(name)
    })
}

pub(crate) fn channel(namespace: &str, uid: &str) -> Identity {
    Identity::Channel(ChannelId {
        namespace: namespace.to_owned(),
        name: "triage".to_owned(),
        uid: uid.parse().unwrap(),
    })
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
pub(crate) fn unobserved() -> monstrum_ledger::sqlite::CommitObserver {
    Arc::new(|_, _| ())
}
