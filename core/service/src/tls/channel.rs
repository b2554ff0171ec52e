//! A client's connection, which follows its certificate.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use monstrum_wire::identity::Identity;
use tonic::body::Body;
use tonic::transport::channel::ResponseFuture;
use tonic::transport::{self, Endpoint};
use tower::Service;

use super::material::Material;
use super::{Tls, TlsError, handshake};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// A connection to one server, made when it is first used and made again when lost. Once this process has another certificate,
/// new requests go over a new connection; what is under way ends on the old one. Clones share it.
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
    current: Made,
}

/// A connection, and the certificate that it is made with.
#[derive(Clone)]
struct Made {
    with: Arc<Material>,
    inner: transport::Channel,
}

struct Shared {
    tls: Tls,
    endpoint: Endpoint,
    name: Option<Arc<str>>,
    server: Identity,
    newest: Mutex<Made>,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("server", &self.shared.server)
            .finish_non_exhaustive()
    }
}

impl Channel {
    pub(super) fn to(
        tls: Tls,
        uri: &str,
        name: Option<Arc<str>>,
        server: Identity,
    ) -> Result<Self, TlsError> {
        let endpoint = endpoint(uri)?;
        let current = Made {
            with: tls.material(),
            inner: connect(&endpoint, &tls, name.as_ref(), &server),
        };
        let shared = Shared {
            newest: Mutex::new(current.clone()),
            tls,
            endpoint,
            name,
            server,
        };
        Ok(Self {
            shared: Arc::new(shared),
            current,
        })
    }
}

impl Shared {
    /// The connection that all clones use under this certificate.
    fn made_with(&self, material: Arc<Material>) -> Made {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&newest.with, &material) {
            *newest = Made {
                with: material,
                inner: connect(&self.endpoint, &self.tls, self.name.as_ref(), &self.server),
            };
        }
        newest.clone()
    }
}

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = transport::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), transport::Error>> {
        let material = self.shared.tls.material();
        if !Arc::ptr_eq(&self.current.with, &material) {
            self.current = self.shared.made_with(material);
        }
        self.current.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> ResponseFuture {
        self.current.inner.call(request)
    }
}

fn endpoint(uri: &str) -> Result<Endpoint, TlsError> {
    let wrong = |source| TlsError::Uri {
        uri: uri.to_owned(),
        source,
    };
    let authority = uri.strip_prefix("https://").ok_or_else(|| wrong(None))?;
    // The connector does TLS itself, so tonic must see a plain scheme.
    Ok(Endpoint::from_shared(format!("http://{authority}"))
        .map_err(|source| wrong(Some(source)))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true))
}

fn connect(endpoint: &Endpoint, tls: &Tls, name: Option<&Arc<str>>, server: &Identity) -> transport::Channel {
    let (tls, name, server) = (tls.clone(), name.cloned(), server.clone());
    let connector = tower::service_fn(move |uri: http::Uri| {
        let (tls, name, server) = (tls.clone(), name.clone(), server.clone());
        async move {
            let stream = handshake::connect(&tls, &uri, name.as_deref(), &server).await?;
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        }
    });
    endpoint.connect_with_connector_lazy(connector)
}
