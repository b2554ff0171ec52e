//! Starting the process's parts.

use monstrum_service::{Roster, Service, Tls, TlsError};
use monstrum_wire::identity::Identity;

use crate::api::{self, Api};
use crate::clock::Clock;
use crate::command::ServeArgs;
use crate::enrolment::{self, Enrolment};
use crate::metrics::Metrics;
use crate::sqlite::SqliteStore;
use crate::store::StoreError;
use crate::upkeep::round;

/// Why the ledger does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// No identity, or no port.
    #[error("mutual TLS can't be set up")]
    Tls(#[from] TlsError),
    /// No database.
    #[error("the database in the data directory can't be opened")]
    Store(#[from] StoreError),
}

/// Opens the database and serves it. Returns when everything runs.
pub(crate) async fn start(args: ServeArgs, service: Service) -> Result<(), StartError> {
    let metrics = Metrics::default();
    service.register(|registry| metrics.register(registry));
    let tls = Tls::load(&args.tls)?;
    let (store, writer) = SqliteStore::open(&args.data_dir, metrics.commit_observer()).await?;
    let incoming = tls.listen(args.listen_address).await?;
    tls.watch(&service);
    service.spawn("writer", writer.run());
    let roster = Roster::default();
    let operator = tls.channel(&args.operator, &Identity::Operator)?;
    let enrolment = Enrolment::new(roster.clone(), operator, args.replica);
    until_stopped(&service, "enrolment", enrolment.follow());
    let connections = incoming.connections();
    until_stopped(
        &service,
        "dismissals",
        enrolment::dismiss(roster.clone(), connections),
    );
    let (unknown, first) = (service.readiness().block("nobody said who lives"), roster.clone());
    until_stopped(&service, "first-roster", async move {
        enrolment::known(&first).await;
        unknown.release();
    });
    let clock = Clock::default();
    let shutdown = service.shutdown();
    service.spawn(
        "maintenance",
        round::run(store.clone(), clock.clone(), metrics.clone(), shutdown.clone()),
    );
    tracing::info!(address = %incoming.local_addr(), data = %args.data_dir.display(), "serving");
    service.spawn(
        "grpc",
        api::serve(incoming, Api::new(store, roster, clock, metrics, shutdown)),
    );
    Ok(())
}

/// Starts a task that goes on until the process is to stop.
fn until_stopped(service: &Service, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    let shutdown = service.shutdown();
    service.spawn_quiet(name, async move {
        tokio::select! {
            () = task => {}
            () = shutdown.requested() => {}
        }
    });
}
