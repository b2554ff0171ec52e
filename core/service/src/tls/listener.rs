//! Connections of identified peers, for tonic.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::connections::{Connections, Entry};
use super::{Peer, Tls, TlsError, handshake};

/// Handshakes that may run at once; more wait in the kernel's queue.
const MAX_HANDSHAKES: usize = 64;

/// Who is at the other end of a connection; in the extensions of each of its requests.
#[derive(Debug, Clone)]
pub struct PeerCertificate(Option<Peer>);

impl PeerCertificate {
    /// The peer, when the certificate named an identity of this installation.
    pub fn peer(&self) -> Option<&Peer> {
        self.0.as_ref()
    }
}

/// Accepted connections, as a stream for `serve_with_incoming`.
pub struct Incoming {
    address: SocketAddr,
    accepted: mpsc::Receiver<io::Result<Connection>>,
    connections: Connections,
    // Dropped with the stream, which ends the accepting task.
    _accepting: JoinSet<()>,
}

impl Incoming {
    pub(super) async fn bind(address: SocketAddr, tls: Tls) -> Result<Self, TlsError> {
        let failed = |source| TlsError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (sender, accepted) = mpsc::channel(MAX_HANDSHAKES);
        let connections = Connections::default();
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, tls, connections.clone(), sender));
        Ok(Self {
            address,
            accepted,
            connections,
            _accepting: accepting,
        })
    }

    /// The connections that are open, by who is at their other end.
    pub fn connections(&self) -> Connections {
        self.connections.clone()
    }

    /// Where it listens; tells the port when 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.accepted.poll_recv(context)
    }
}

/// Accepts for as long as somebody takes the connections; a slow or hostile handshake delays nobody else.
async fn accept(
    listener: TcpListener,
    tls: Tls,
    connections: Connections,
    sender: mpsc::Sender<io::Result<Connection>>,
) {
    let mut handshakes = JoinSet::new();
    loop {
        while handshakes.len() >= MAX_HANDSHAKES {
            handshakes.join_next().await;
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = sender.closed() => return,
        };
        while handshakes.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                handshakes.spawn(shake(
                    tls.clone(),
                    connections.clone(),
                    stream,
                    peer,
                    sender.clone(),
                ));
            }
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to come back.
                tracing::warn!(error = %error, "a connection can't be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn shake(
    tls: Tls,
    connections: Connections,
    stream: TcpStream,
    address: SocketAddr,
    sender: mpsc::Sender<io::Result<Connection>>,
) {
    match handshake::accept(&tls, stream).await {
        Ok((stream, peer)) => {
            let connection = Connection {
                stream,
                entry: connections.enter(peer.as_ref()),
                peer: PeerCertificate(peer),
            };
            // An error means that the server ends; the connection is dropped with it.
            drop(sender.send(Ok(connection)).await);
        }
        Err(error) => tracing::debug!(peer = %address, error = %error, "handshake failed"),
    }
}

/// One connection whose peer is known.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    peer: PeerCertificate,
    entry: Entry,
}

impl Connected for Connection {
    type ConnectInfo = PeerCertificate;

    fn connect_info(&self) -> PeerCertificate {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.entry.poll_ended(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.entry.is_ended() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
