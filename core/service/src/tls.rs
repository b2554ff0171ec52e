//! Mutual TLS: who this process is, whom it trusts, and who is at the other end.
//!
//! Both ends show a certificate of the installation's authority. A server learns its peer's [`Identity`] from the URI in
//! the certificate; a client checks the server's DNS name. Certificates are short-lived and replaced while
//! connections stay up: each new handshake uses the newest.

mod files;
pub(crate) mod handshake;
mod material;
mod peer;
mod server;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use monstrum_wire::identity::Identity;
use tonic::transport::{Channel, Endpoint};

pub use material::Pem;
pub use peer::PeerIdentity;
pub use server::ServerTls;

use crate::args::TlsArgs;
use crate::listener::{Entrance, Incoming, Limits};
use crate::process::Service;
use material::Material;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(10);
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

    /// Uses `pem` from the next handshake on; on an error nothing changes.
    pub fn replace(&self, pem: &Pem) -> Result<(), TlsError> {
        let material = Arc::new(Material::new(pem)?);
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
    #[expect(
        clippy::unused_async,
        reason = "whoever listens is in a runtime, which a future makes plain"
    )]
    pub async fn listen(&self, address: std::net::SocketAddr) -> Result<Incoming, TlsError> {
        Incoming::bind(address, Entrance::Mutual(self.clone()), Limits::default())
            .map_err(|source| TlsError::Listen { address, source })
    }

    /// A connection to `https://host:port`, made when first used and made again when lost.
    pub fn channel(&self, uri: &str) -> Result<Channel, TlsError> {
        self.channel_to(uri, None)
    }

    /// Like [`Tls::channel`], to a server whose certificate carries `name` and not the host of the URI.
    pub fn channel_named(&self, uri: &str, name: &str) -> Result<Channel, TlsError> {
        self.channel_to(uri, Some(name.into()))
    }

    fn channel_to(&self, uri: &str, name: Option<Arc<str>>) -> Result<Channel, TlsError> {
        let wrong = |source| TlsError::Uri {
            uri: uri.to_owned(),
            source,
        };
        let authority = uri.strip_prefix("https://").ok_or_else(|| wrong(None))?;
        // The connector below does TLS itself, so tonic must see a plain scheme.
        let endpoint = Endpoint::from_shared(format!("http://{authority}"))
            .map_err(|source| wrong(Some(source)))?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        let tls = self.clone();
        let connector = tower::service_fn(move |uri: http::Uri| {
            let (tls, name) = (tls.clone(), name.clone());
            async move {
                let stream = handshake::connect(&tls, &uri, name.as_deref()).await?;
                Ok::<_, std::io::Error>(TokioIo::new(stream))
            }
        });
        Ok(endpoint.connect_with_connector_lazy(connector))
    }

    fn material(&self) -> Arc<Material> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn trust_domain(&self) -> &str {
        &self.trust_domain
    }
}

/// Who made a request, from the certificate of its connection.
pub fn peer<T>(request: &tonic::Request<T>) -> Result<Identity, tonic::Status> {
    let peer = request
        .extensions()
        .get::<PeerIdentity>()
        .and_then(|peer| peer.identity().cloned());
    peer.ok_or_else(|| {
        tonic::Status::unauthenticated("the connection's certificate names no identity of this installation")
    })
}
