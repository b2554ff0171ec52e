//! The HTTPS server that the API server calls.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use axum_server::tls_rustls::RustlsConfig;
use monstrum_service::Service;
use monstrum_service::authority::AuthorityError;
use monstrum_wire::identity::Identity;

use super::review::review;
use crate::index::Index;
use crate::metrics::Metrics;
use crate::trust::{Trust, renewal};

/// Objects are at most 1.5 MiB in etcd; a review of an update holds two of them.
const MAX_REVIEW: usize = 4 << 20;
/// Reviews that are being answered may take this long when the process stops.
const DRAIN: Duration = Duration::from_secs(5);

/// What a review is answered from.
#[derive(Clone)]
pub(super) struct Admission {
    pub(super) index: Arc<Index>,
    pub(super) metrics: Metrics,
}

/// The webhook.
pub struct AdmissionServer {
    /// What reviews are answered from.
    pub index: Arc<Index>,
    /// Counts answers.
    pub metrics: Metrics,
    /// Signs the server's certificates.
    pub trust: Trust,
    /// The names that the API server calls it by.
    pub names: Vec<String>,
    /// Of its certificates.
    pub lifetime: Duration,
}

/// Why the webhook does not answer.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionServerError {
    /// Its certificate can't be signed.
    #[error("the webhook's certificate can't be issued")]
    Issue(#[from] AuthorityError),
    /// Its certificate can't be used.
    #[error("the webhook's certificate can't be used")]
    Use(#[source] std::io::Error),
    /// It can't listen.
    #[error("{address}: the webhook can't listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

impl AdmissionServer {
    /// Listens, and answers while the process runs.
    pub async fn start(self, address: SocketAddr, service: &Service) -> Result<(), AdmissionServerError> {
        let (certificate, key) = self.pem()?;
        let config = RustlsConfig::from_pem(certificate, key)
            .await
            .map_err(AdmissionServerError::Use)?;
        let listen = |source| AdmissionServerError::Listen { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let handle = axum_server::Handle::new();
        let server = axum_server::from_tcp_rustls(listener, config.clone()).map_err(listen)?;
        let admission = Admission {
            index: Arc::clone(&self.index),
            metrics: self.metrics.clone(),
        };
        let serving = server
            .handle(handle.clone())
            .serve(router(admission).into_make_service());
        service.spawn("webhook", async move {
            serving
                .await
                .map_err(|source| AdmissionServerError::Listen { address, source })
        });
        let shutdown = service.shutdown();
        service.spawn_quiet("webhook-certificate", async move {
            tokio::select! {
                () = self.renew(&config) => {}
                () = shutdown.requested() => handle.graceful_shutdown(Some(DRAIN)),
            }
        });
        Ok(())
    }

    fn pem(&self) -> Result<(Vec<u8>, Vec<u8>), AuthorityError> {
        let pem = self
            .trust
            .issue(&Identity::Operator, &self.names, self.lifetime)?;
        Ok((pem.certificate.into_bytes(), pem.key.into_bytes()))
    }

    async fn renew(&self, config: &RustlsConfig) {
        loop {
            tokio::time::sleep(renewal(self.lifetime)).await;
            let renewed = match self.pem() {
                Ok((certificate, key)) => config
                    .reload_from_pem(certificate, key)
                    .await
                    .map_err(AdmissionServerError::Use),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = renewed {
                tracing::error!(error = %error, "the webhook's certificate can't be renewed");
            }
        }
    }
}

pub(super) fn router(admission: Admission) -> Router {
    Router::new()
        .route("/validate", post(review))
        .layer(DefaultBodyLimit::max(MAX_REVIEW))
        .with_state(admission)
}
