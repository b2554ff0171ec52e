//! Parsed certificates and the configurations made of them.

use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use monstrum_wire::identity::{Identity, Serial};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{TlsError, handshake};

/// A certificate chain with its key and the authority to trust, in PEM.
#[derive(Clone)]
pub struct Pem {
    /// The chain, leaf first.
    pub certificate: String,
    /// The leaf's private key.
    pub key: String,
    /// The authority's certificate.
    pub authority: String,
}

/// Without the key: it must not end up in a log.
impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pem")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl Pem {
    /// The serial number of the leaf.
    pub fn serial(&self) -> Result<Serial, TlsError> {
        let unreadable = || TlsError::Unreadable("the certificate");
        let chain = certificates(&self.certificate, "the certificate")?;
        let leaf = chain.first().ok_or_else(unreadable)?;
        let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| unreadable())?;
        Serial::from_bytes(leaf.raw_serial()).map_err(|_| unreadable())
    }
}

/// What handshakes use.
pub(super) struct Material {
    pub(super) server: Arc<ServerConfig>,
    pub(super) client: Arc<ClientConfig>,
    leaf: Option<CertificateDer<'static>>,
}

impl Material {
    pub(super) fn new(pem: &Pem) -> Result<Self, TlsError> {
        let chain = certificates(&pem.certificate, "the certificate")?;
        let key = PrivateKeyDer::from_pem_slice(pem.key.as_bytes()).map_err(|source| TlsError::Pem {
            what: "the key",
            source,
        })?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&pem.authority, "the authority")? {
            roots.add(certificate).map_err(TlsError::Material)?;
        }
        let roots = Arc::new(roots);
        Ok(Self {
            leaf: chain.first().cloned(),
            server: Arc::new(server(&roots, chain.clone(), key.clone_key())?),
            client: Arc::new(client(&roots, chain, key)?),
        })
    }

    /// Whom the leaf names.
    pub(super) fn identity(&self, trust_domain: &str) -> Option<Identity> {
        let peer = handshake::peer(self.leaf.as_ref()?, trust_domain)?;
        Some(peer.identity)
    }
}

fn server(
    roots: &Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    let verifier = WebPkiClientVerifier::builder(Arc::clone(roots))
        .build()
        .map_err(TlsError::Verifier)?;
    let mut config = ServerConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(TlsError::Material)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn client(
    roots: &Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig, TlsError> {
    let mut config = ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
        .with_root_certificates(Arc::clone(roots))
        .with_client_auth_cert(chain, key)
        .map_err(TlsError::Material)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // A resumed session would keep an identity beyond its certificate.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

pub(super) fn certificates(pem: &str, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| TlsError::Pem { what, source })?;
    if chain.is_empty() {
        return Err(TlsError::Empty { what });
    }
    Ok(chain)
}
