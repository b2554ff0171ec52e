//! One handshake, from either end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use monstrum_wire::identity::{Identity, Serial};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{Peer, PeerCertificate, Tls};

/// A peer that does not finish its handshake in this time is dropped.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Connects to the authority of `uri`, with this process's certificate. The server's must carry `name`, or the URI's host,
/// and be that of `server`.
pub(super) async fn connect(
    tls: &Tls,
    uri: &http::Uri,
    name: Option<&str>,
    server: &Identity,
) -> io::Result<client::TlsStream<TcpStream>> {
    let host = uri
        .host()
        .ok_or_else(|| io::Error::other("the URI has no host"))?
        .trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(443);
    let name = ServerName::try_from(name.unwrap_or(host).to_owned()).map_err(io::Error::other)?;
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let stream = TlsConnector::from(tls.material().client.clone())
        .connect(name, stream)
        .await?;
    let found = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(<[CertificateDer<'_>]>::first)
        .and_then(|leaf| peer(leaf, tls.trust_domain()));
    match found {
        Some(found) if found.identity == *server => Ok(stream),
        Some(_) | None => Err(io::Error::other(format!("the server is not {server}"))),
    }
}

/// Accepts one connection.
pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    config: Arc<ServerConfig>,
    stream: S,
) -> io::Result<server::TlsStream<S>> {
    tokio::time::timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(config).accept(stream)).await?
}

/// Accepts one connection and finds out whose it is.
pub(crate) async fn identify<S: AsyncRead + AsyncWrite + Unpin>(
    tls: &Tls,
    stream: S,
) -> io::Result<(server::TlsStream<S>, PeerCertificate)> {
    let stream = accept(tls.material().server.clone(), stream).await?;
    let leaf = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(<[CertificateDer<'_>]>::first);
    let peer = leaf.and_then(|leaf| peer(leaf, tls.trust_domain()));
    Ok((stream, PeerCertificate::new(peer)))
}

/// Whom a verified certificate names: exactly one URI, of our trust domain.
pub(super) fn peer(leaf: &CertificateDer<'_>, trust_domain: &str) -> Option<Peer> {
    let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
    let serial = Serial::from_bytes(certificate.raw_serial()).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    let mut uris = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    let (first, second) = (uris.next()?, uris.next());
    match second {
        None => Some(Peer {
            identity: Identity::parse(first, trust_domain).ok()?,
            serial,
        }),
        Some(_) => None,
    }
}
