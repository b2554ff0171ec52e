//! The operator's own certificates, kept in memory and renewed.

use std::time::Duration;

use monstrum_service::authority::AuthorityError;
use monstrum_service::{Service, Tls, TlsError};
use monstrum_wire::identity::Identity;

use super::{Trust, due};

/// The operator's certificate for gRPC, renewed while the process runs.
pub struct ServerIdentity {
    trust: Trust,
    names: Vec<String>,
    lifetime: Duration,
}

/// Why the operator has no certificate.
#[derive(Debug, thiserror::Error)]
pub enum ServerIdentityError {
    /// It can't be signed.
    #[error("the operator's certificate can't be issued")]
    Issue(#[from] AuthorityError),
    /// It can't be used.
    #[error("the operator's certificate can't be used")]
    Use(#[from] TlsError),
}

impl ServerIdentity {
    /// For a server that is called by `names`.
    pub fn new(trust: Trust, names: Vec<String>, lifetime: Duration) -> Self {
        Self {
            trust,
            names,
            lifetime,
        }
    }

    /// TLS with a first certificate; further ones follow by themselves.
    pub fn start(self, service: &Service) -> Result<Tls, ServerIdentityError> {
        let pem = self
            .trust
            .issue(&Identity::Operator, &self.names, self.lifetime)?;
        let tls = Tls::from_pem(&pem, &self.trust.trust_domain())?;
        let renewed = tls.clone();
        let shutdown = service.shutdown();
        service.spawn_quiet("operator-certificate", async move {
            tokio::select! {
                () = self.renew(&renewed) => {}
                () = shutdown.requested() => {}
            }
        });
        Ok(tls)
    }

    async fn renew(&self, tls: &Tls) {
        let mut changes = self.trust.changes();
        loop {
            due(&mut changes, renewal(self.lifetime)).await;
            let renewed = self
                .trust
                .issue(&Identity::Operator, &self.names, self.lifetime)
                .map_err(ServerIdentityError::from)
                .and_then(|pem| Ok(tls.replace(&pem)?));
            match renewed {
                Ok(()) => tracing::info!("renewed the operator's certificate"),
                Err(error) => tracing::error!(error = %error, "the operator's certificate can't be renewed"),
            }
        }
    }
}

/// Certificates are renewed after two thirds of their life.
pub(crate) fn renewal(lifetime: Duration) -> Duration {
    lifetime
        .checked_div(3)
        .map_or(lifetime, |third| third.saturating_mul(2))
}
