//! The gRPC services of `monstrum.ledger.v1`, over any store.

mod caller;
pub(crate) mod field;
mod lane;
mod refusal;
mod service;

use std::time::{Duration, Instant};

use monstrum_service::listener::grpc_server;
use monstrum_service::{Incoming, Roster, Shutdown};
use monstrum_wire::ledger::audit_server::AuditServer;
use monstrum_wire::ledger::ledger_server::LedgerServer;
use tonic::{Response, Status};

pub use refusal::Refusal;

use lane::Lanes;

use crate::clock::Clock;
use crate::metrics::{Method, Metrics};
use crate::store::Store;

/// The largest request.
pub const LARGEST_REQUEST: usize = 1024 * 1024;

/// The longest that a request may take before its caller is told so.
const LONGEST: Duration = Duration::from_secs(20);
const REQUESTS_PER_CONNECTION: usize = 128;

/// Both services.
#[derive(Debug, Clone)]
pub struct Api<S> {
    pub(crate) store: S,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
    pub(crate) lanes: Lanes,
    roster: Roster,
}

impl<S: Store> Api<S> {
    /// Serves what `store` holds to whoever is in `roster`.
    pub fn new(store: S, roster: Roster, clock: Clock, metrics: Metrics, shutdown: Shutdown) -> Self {
        Self {
            store,
            clock,
            metrics,
            shutdown,
            lanes: Lanes::default(),
            roster,
        }
    }

    /// Does the work of one request, counts it, and turns a refusal into its status.
    pub(crate) async fn measured<R>(
        &self,
        method: Method,
        work: impl Future<Output = Result<R, Refusal>>,
    ) -> Result<Response<R>, Status> {
        let began = Instant::now();
        let result = work.await;
        self.metrics
            .answered(method, began.elapsed(), result.as_ref().err().map(Refusal::class));
        result.map(Response::new).map_err(|refusal| refusal.told(method))
    }
}

/// Serves until the process is to stop, then until the requests under way are answered.
pub async fn serve<S: Store>(incoming: Incoming, api: Api<S>) -> Result<(), tonic::transport::Error> {
    let shutdown = api.shutdown.clone();
    grpc_server()
        .timeout(LONGEST)
        .concurrency_limit_per_connection(REQUESTS_PER_CONNECTION)
        .add_service(LedgerServer::new(api.clone()).max_decoding_message_size(LARGEST_REQUEST))
        .add_service(AuditServer::new(api).max_decoding_message_size(LARGEST_REQUEST))
        .serve_with_incoming_shutdown(incoming, async move { shutdown.requested().await })
        .await
}
