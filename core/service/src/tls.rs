//! Mutual TLS: who this process is, whom it trusts, and who is at the other end.
//!
//! Both ends show a certificate of the installation's authority. A server learns its peer's [`Identity`] from the URI in
//! the certificate; a client checks the server's DNS name and its identity. Certificates are short-lived and replaced while
//! the process runs: requests that begin after that go over a connection under the newest, those under way end on theirs.

mod channel;
pub(crate) mod connections;
mod files;
pub(crate) mod handshake;
mod material;
mod peer;
mod server;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use monstrum_wire::identity::{Identity, Serial};

pub use channel::Channel;
pub use connections::Connections;
pub use material::Pem;
pub use peer::PeerCertificate;
pub use server::ServerTls;

use crate::args::TlsArgs;
use crate::listener::{Entrance, Incoming, Limits};
use crate::process::Service;
use material::Material;

const RELOAD_EVERY: Duration = Duration::from_secs(5);

/// Why TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of the folder can't be read.
    #[error("{path}: can't be read")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{what} is not valid PEM")]
    Pem {
        /// Certificate, key or authority.
        what: &'static str,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// A file holds no certificate.
    #[error("{what} holds no certificate")]
    Empty {
        /// Certificate or authority.
        what: &'static str,
    },
    /// A certificate can't be read.
    #[error("{0} can't be read")]
    Unreadable(&'static str),
    /// Certificate and key don't fit, or the authority can't be used.
    #[error("certificate, key and authority can't be used together")]
    Material(#[source] rustls::Error),
    /// The authority's certificate can't verify anybody.
    #[error("the authority can't verify peers")]
    Verifier(#[source] rustls::server::VerifierBuilderError),
    /// The address can't be listened on.
    #[error("{address}: can't listen")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The certificate is that of another object, such as a later one of the same name.
    #[error("the new certificate names another identity than this process has")]
    AnotherIdentity,
    /// A URI that is no `https://host:port`.
    #[error("{uri:?} is not an https URI")]
    Uri {
        /// What was given.
        uri: String,
        /// Why, if the URI does not even parse.
        source: Option<tonic::transport::Error>,
    },
}

/// This process's identity and trust, replaceable while it runs.
#[derive(Clone)]
pub struct Tls {
    current: Arc<RwLock<Arc<Material>>>,
    folder: Option<PathBuf>,
    trust_domain: Arc<str>,
}

impl Tls {
    /// Reads `tls.crt`, `tls.key` and `ca.crt`.
    pub fn load(args: &TlsArgs) -> Result<Self, TlsError> {
        let pem = files::read(&args.tls_dir)?;
        let mut tls = Self::from_pem(&pem, &args.trust_domain)?;
        tls.folder = Some(args.tls_dir.clone());
        Ok(tls)
    }

    /// Takes certificate, key and authority from memory.
    pub fn from_pem(pem: &Pem, trust_domain: &str) -> Result<Self, TlsError> {
        Ok(Self {
            current: Arc::new(RwLock::new(Arc::new(Material::new(pem)?))),
            folder: None,
            trust_domain: trust_domain.into(),
        })
    }

    /// Uses `pem` from the next handshake on; on an error nothing changes. A process stays who it is.
    pub fn replace(&self, pem: &Pem) -> Result<(), TlsError> {
        let material = Arc::new(Material::new(pem)?);
        let (known, new) = (self.identity(), material.identity(&self.trust_domain));
        if known != new {
            return Err(TlsError::AnotherIdentity);
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = material;
        Ok(())
    }

    /// Takes up changed files of the folder it was loaded from, for as long as the process runs.
    pub fn watch(&self, service: &Service) {
        let Some(folder) = self.folder.clone() else { return };
        let tls = self.clone();
        let shutdown = service.shutdown();
        service.spawn_quiet("tls-files", async move {
            tokio::select! {
                () = files::follow(&folder, RELOAD_EVERY, |pem| tls.take_up(&pem)) => {}
                () = shutdown.requested() => {}
            }
        });
    }

    fn take_up(&self, pem: &Pem) {
        match self.replace(pem) {
            Ok(()) => tracing::info!("certificate replaced"),
            Err(error) => {
                tracing::error!(error = %error, "the new certificate can't be used; the old one stays");
            }
        }
    }

    /// Accepts connections of identified peers only.
    #[allow(
        clippy::unused_async,
        reason = "whoever listens is in a runtime, which a future makes plain"
    )]
    pub async fn listen(&self, address: std::net::SocketAddr) -> Result<Incoming, TlsError> {
        Incoming::bind(address, Entrance::Mutual(self.clone()), Limits::default())
            .map_err(|source| TlsError::Listen { address, source })
    }

    /// Who this process is; nobody when its certificate names no identity of the trust domain.
    pub fn identity(&self) -> Option<Identity> {
        self.material().identity(&self.trust_domain)
    }

    /// A connection to `https://host:port`, made when first used and made again when lost. Whoever answers there must be
    /// `server`.
    pub fn channel(&self, uri: &str, server: &Identity) -> Result<Channel, TlsError> {
        Channel::to(self.clone(), uri, None, server.clone())
    }

    /// Like [`Tls::channel`], to a server whose certificate carries `name` and not the host of the URI.
    pub fn channel_named(&self, uri: &str, name: &str, server: &Identity) -> Result<Channel, TlsError> {
        Channel::to(self.clone(), uri, Some(name.into()), server.clone())
    }

    fn material(&self) -> Arc<Material> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn trust_domain(&self) -> &str {
        &self.trust_domain
    }
}

/// Who is at the other end of a connection, and by which certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Peer {
    /// What its certificate names.
    pub identity: Identity,
    /// Which certificate it is: one of an earlier issue is not worth what the last one is.
    pub serial: Serial,
}

/// Who made a request, from the certificate of its connection. That it was certified once does not say that it lives:
/// see [`crate::Roster`].
pub fn peer<T>(request: &tonic::Request<T>) -> Result<Peer, tonic::Status> {
    let peer = request
        .extensions()
        .get::<PeerCertificate>()
        .and_then(|certificate| certificate.peer().cloned());
    peer.ok_or_else(|| {
        tonic::Status::unauthenticated("the connection's certificate names no identity of this installation")
    })
}
