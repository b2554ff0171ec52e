//! TLS of a server whose clients have no identity of the installation.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;

use super::TlsError;
use super::material::certificates;

/// A server's certificate, replaceable while it runs.
#[derive(Clone)]
pub struct ServerTls {
    current: Arc<RwLock<Arc<ServerConfig>>>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
}

impl ServerTls {
    /// Takes a certificate chain and its key, in PEM. With `clients`, the certificates of authorities in PEM, whoever shows no certificate
    /// of theirs does not get through the handshake.
    pub fn new(certificate: &str, key: &str, clients: Option<&str>) -> Result<Self, TlsError> {
        let clients = clients.map(verifier).transpose()?;
        Ok(Self {
            current: Arc::new(RwLock::new(Arc::new(config(certificate, key, clients.as_ref())?))),
            clients,
        })
    }

    /// Uses another certificate from the next handshake on; on an error nothing changes.
    pub fn replace(&self, certificate: &str, key: &str) -> Result<(), TlsError> {
        let config = Arc::new(config(certificate, key, self.clients.as_ref())?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn verifier(authorities: &str) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities, "the clients' authority")? {
        roots.add(certificate).map_err(TlsError::Material)?;
    }
    WebPkiClientVerifier::builder(Arc::new(roots))
        .build()
        .map_err(TlsError::Verifier)
}

fn config(
    certificate: &str,
    key: &str,
    clients: Option<&Arc<dyn ClientCertVerifier>>,
) -> Result<ServerConfig, TlsError> {
    let chain = certificates(certificate, "the certificate")?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|source| TlsError::Pem {
        what: "the key",
        source,
    })?;
    let builder = ServerConfig::builder();
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(Arc::clone(clients)),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Material)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
