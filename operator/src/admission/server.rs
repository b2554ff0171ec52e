//! The HTTPS server that the API server calls. Whoever else calls it is answered before anything of the request is read, and always
//! the same.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode};
use monstrum_service::authority::AuthorityError;
use monstrum_service::listener::{Entrance, Guest, Limits, serve_http};
use monstrum_service::{Incoming, Pem, ServerTls, Service, TlsError};
use monstrum_wire::identity::Identity;

use super::Pass;
use super::desk::Desk;
use crate::index::Index;
use crate::metrics::Metrics;
use crate::trust::{Trust, due, renewal};

/// What a review is answered from.
#[derive(Clone)]
pub(super) struct Admission {
    pub(super) pass: Pass,
    pub(super) desk: Desk,
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
    /// A file with the authority of the API server's own certificate, where it shows one.
    pub client_authority: Option<PathBuf>,
}

/// Why the webhook does not answer.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionServerError {
    /// Its certificate can't be signed.
    #[error("the webhook's certificate can't be issued")]
    Issue(#[from] AuthorityError),
    /// Its certificate, or the authority of its clients, can't be used.
    #[error("the webhook's certificates can't be used")]
    Use(#[from] TlsError),
    /// The authority of its clients can't be read.
    #[error("{path}: can't be read")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
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
    /// Listens, and answers while the process runs. Tells where.
    pub fn start(self, address: SocketAddr, service: &Service) -> Result<SocketAddr, AdmissionServerError> {
        let pem = self.pem()?;
        let clients = self.client_authority()?;
        let tls = ServerTls::new(&pem.certificate, &pem.key, clients.as_deref())?;
        let incoming = Incoming::bind(address, Entrance::Https(tls.clone()), Limits::default())
            .map_err(|source| AdmissionServerError::Listen { address, source })?;
        let bound = incoming.local_addr();
        let admission = Admission {
            pass: Pass::new(&self.trust),
            desk: Desk::new(Arc::clone(&self.index), self.metrics.clone()),
        };
        let serving = serve_http(incoming, router(admission), service.shutdown());
        service.spawn("webhook", async move {
            serving.await;
            Ok::<(), std::convert::Infallible>(())
        });
        let shutdown = service.shutdown();
        service.spawn_quiet("webhook-certificate", async move {
            tokio::select! {
                () = self.renew(&tls) => {}
                () = shutdown.requested() => {}
            }
        });
        Ok(bound)
    }

    fn pem(&self) -> Result<Pem, AuthorityError> {
        self.trust.issue(&Identity::Operator, &self.names, self.lifetime)
    }

    fn client_authority(&self) -> Result<Option<String>, AdmissionServerError> {
        let Some(path) = &self.client_authority else {
            return Ok(None);
        };
        let read = std::fs::read_to_string(path).map_err(|source| AdmissionServerError::Read {
            path: path.clone(),
            source,
        });
        read.map(Some)
    }

    async fn renew(&self, tls: &ServerTls) {
        let mut changes = self.trust.changes();
        loop {
            due(&mut changes, renewal(self.lifetime)).await;
            let renewed = self
                .pem()
                .map_err(AdmissionServerError::from)
                .and_then(|pem| Ok(tls.replace(&pem.certificate, &pem.key)?));
            if let Err(error) = renewed {
                tracing::error!(error = %error, "the webhook's certificate can't be renewed");
            }
        }
    }
}

pub(super) fn router(admission: Admission) -> Router {
    Router::new().fallback(receive).with_state(admission)
}

async fn receive(State(admission): State<Admission>, request: Request) -> Response {
    if request.method() != Method::POST || !admission.pass.fits(request.uri().path()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    if let Some(guest) = request.extensions().get::<Guest>() {
        guest.make_known();
    }
    admission.desk.answer(request).await
}
