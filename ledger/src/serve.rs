//! Starting the process's parts.

use monstrum_service::{Service, Tls, TlsError};

use crate::api::{self, Api};
use crate::clock::Clock;
use crate::command::ServeArgs;
use crate::maintenance;
use crate::metrics::Metrics;
use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;

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
    let clock = Clock::default();
    let shutdown = service.shutdown();
    service.spawn(
        "maintenance",
        maintenance::run(store.clone(), clock.clone(), metrics.clone(), shutdown.clone()),
    );
    tracing::info!(address = %incoming.local_addr(), data = %args.data_dir.display(), "serving");
    service.spawn(
        "grpc",
        api::serve(incoming, Api::new(store, clock, metrics, shutdown)),
    );
    Ok(())
}
