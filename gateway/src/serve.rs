//! A gateway, put together and started.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use monstrum_guardian::source;
use monstrum_service::listener::{Entrance, Limits, grpc_server};
use monstrum_service::{Incoming, Roster, Service, Tls, TlsError};
use monstrum_wire::identity::Identity;
use monstrum_wire::ledger::AuditRecord;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use crate::args::{Cli, ServeArgs};
use crate::faces::{AuditFace, ChatFace, Door, GuardianFace};
use crate::gateway::Gateway;
use crate::ledger::Ledger;
use crate::link::{Link, LinkService, Peers};
use crate::metrics::Metrics;
use crate::policy::{Policy, Subscription};
use crate::providers::Models;
use crate::turn::Sessions;
use crate::vault::Vault;

const RETRY: Duration = Duration::from_secs(1);
/// What is left of the drain for a turn that was told to end.
const WIND_UP: Duration = Duration::from_secs(8);

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Its certificate or one of its neighbours' addresses.
    #[error("mutual TLS can't be set up")]
    Tls(#[from] TlsError),
    /// Its certificate is none of a gateway: it does not know whose gateway it is.
    #[error("the certificate names no bot's gateway")]
    Identity,
    /// The loopback port.
    #[error("{address}: can't listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Where a started gateway listens.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// For runners and channels.
    pub mutual: SocketAddr,
    /// For port-forwards.
    pub local: SocketAddr,
}

/// Starts a gateway; returns once it listens.
pub async fn serve(cli: Cli, service: Service) -> Result<(), ServeError> {
    let tls = Tls::load(&cli.serve.tls)?;
    tls.watch(&service);
    start(cli.serve, cli.service.drain(), tls, service)
        .await
        .map(|_| ())
}

/// Starts a gateway with an identity that is at hand.
pub async fn start(
    args: ServeArgs,
    drain: Duration,
    tls: Tls,
    service: Service,
) -> Result<Addresses, ServeError> {
    let Some(Identity::Gateway(bot)) = tls.identity() else {
        return Err(ServeError::Identity);
    };
    let operator = tls.channel(&args.operator, &Identity::Operator)?;
    let policy = Policy::new(source::BotName {
        namespace: bot.namespace.clone(),
        name: bot.name.clone(),
    });
    let incoming = tls.listen(args.listen).await?;
    let mut own = incoming.local_addr();
    if let Some(address) = args.address {
        own.set_ip(address);
    }
    let gateway = Arc::new(Gateway {
        bot,
        replica: args.replica.clone(),
        policy: policy.clone(),
        vault: Vault::new(operator.clone(), policy.clone()),
        ledger: Ledger::new(tls.channel(&args.ledger, &Identity::Ledger)?),
        roster: Roster::default(),
        connections: incoming.connections(),
        link: Link::default(),
        peers: Peers::alone(own),
        models: Models::new(args.egress.egress()),
        sessions: Sessions::default(),
        metrics: Metrics::new(&service),
        service: service.clone(),
        drain_patience: drain.saturating_sub(WIND_UP),
    });
    let idle = CancellationToken::new();
    until(
        &service,
        "policy",
        &idle,
        Subscription::new(policy.clone(), gateway.roster.clone(), operator, args.replica).follow(),
    );
    until(&service, "policy-lease", &idle, async move {
        policy.watch_lease().await;
    });
    let followed = Arc::clone(&gateway);
    until(&service, "policy-followers", &idle, async move {
        followed.follow_policy().await;
    });
    let watched = Arc::clone(&gateway);
    until(&service, "roster-followers", &idle, async move {
        watched.follow_roster().await;
    });
    let prepared = Arc::clone(&gateway);
    until(&service, "credentials", &idle, async move {
        prepared.prepare_credentials().await;
    });
    let recorded = Arc::clone(&gateway);
    until(&service, "policy-records", &idle, async move {
        record_policies(&recorded).await;
    });
    if let Some(name) = args.gateways {
        let peers = gateway.peers.clone();
        until(
            &service,
            "gateways",
            &idle,
            async move { peers.follow(&name).await },
        );
    }
    become_ready(&gateway, &idle);
    drain_turns(Arc::clone(&gateway), idle);
    let mutual = serve_mutual(&gateway, incoming);
    let local = listen_local(&gateway, args.local_listen)?;
    Ok(Addresses { mutual, local })
}

/// Starts a task that goes on until the last turn has ended.
fn until(
    service: &Service,
    name: &'static str,
    idle: &CancellationToken,
    task: impl Future<Output = ()> + Send + 'static,
) {
    let idle = idle.clone();
    service.spawn_quiet(name, async move {
        tokio::select! {
            () = task => {}
            () = idle.cancelled() => {}
        }
    });
}

/// Running turns still need policy, runners and ledger; only then everything goes.
fn drain_turns(gateway: Arc<Gateway>, idle: CancellationToken) {
    let service = gateway.service.clone();
    service.spawn_quiet("drain", async move {
        gateway.service.shutdown().requested().await;
        while gateway.sessions.running() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        gateway.link.close();
        idle.cancel();
    });
}

fn become_ready(gateway: &Arc<Gateway>, idle: &CancellationToken) {
    let service = &gateway.service;
    let (policy, ledger) = (
        service.readiness().block("no policy"),
        service.readiness().block("no ledger"),
    );
    let waiting = Arc::clone(gateway);
    until(service, "first-policy", idle, async move {
        let mut changes = waiting.policy.changes();
        while !waiting.policy.holds() {
            changes.next().await;
        }
        policy.release();
    });
    let waiting = Arc::clone(gateway);
    until(service, "first-ledger", idle, async move {
        let mut told = false;
        while let Err(error) = waiting.ledger.reach().await {
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(error = %error, "waiting for the ledger");
            }
            tokio::time::sleep(RETRY).await;
        }
        ledger.release();
    });
}

/// Puts each change of what is enforced into the bot's chain, as soon as the ledger takes it. Runs for ever.
async fn record_policies(gateway: &Gateway) {
    let mut changes = gateway.policy.changes();
    let mut known = String::new();
    loop {
        let policy = gateway.policy.current();
        if policy.digest != known {
            let kind = if policy.digest.is_empty() {
                "policy.lapsed"
            } else {
                "policy.enforced"
            };
            let detail = json!({
                "replica": gateway.replica,
                "epoch": policy.version.epoch,
                "sequence": policy.version.sequence,
            });
            let record = AuditRecord {
                kind: kind.to_owned(),
                policy_digest: policy.digest.clone(),
                detail_json: detail.to_string(),
                ..AuditRecord::default()
            };
            if let Err(error) = gateway.ledger.append(record).await {
                tracing::warn!(error = %error, "a change of policy is not recorded yet");
                tokio::time::sleep(RETRY).await;
                continue;
            }
            known.clone_from(&policy.digest);
        }
        changes.next().await;
    }
}

fn serve_mutual(gateway: &Arc<Gateway>, incoming: Incoming) -> SocketAddr {
    let address = incoming.local_addr();
    let router = builder()
        .add_service(ChatFace::server(Arc::clone(gateway), Door::Mutual))
        .add_service(GuardianFace::server(Arc::clone(gateway), Door::Mutual))
        .add_service(LinkService::server(Arc::clone(gateway)));
    let shutdown = gateway.service.shutdown();
    gateway.service.spawn(
        "grpc",
        router.serve_with_incoming_shutdown(incoming, shutdown.requested()),
    );
    address
}

fn listen_local(gateway: &Arc<Gateway>, address: SocketAddr) -> Result<SocketAddr, ServeError> {
    let incoming = Incoming::bind(address, Entrance::Pod, Limits::default())
        .map_err(|source| ServeError::Listen { address, source })?;
    let bound = incoming.local_addr();
    let router = builder()
        .add_service(ChatFace::server(Arc::clone(gateway), Door::Local))
        .add_service(GuardianFace::server(Arc::clone(gateway), Door::Local))
        .add_service(AuditFace::server(Arc::clone(gateway)));
    let shutdown = gateway.service.shutdown();
    gateway.service.spawn(
        "grpc-local",
        router.serve_with_incoming_shutdown(incoming, shutdown.requested()),
    );
    Ok(bound)
}

fn builder() -> Server {
    grpc_server().concurrency_limit_per_connection(128)
}
