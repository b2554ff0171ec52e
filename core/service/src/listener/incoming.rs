//! Accepted connections.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::guarded::Guarded;
use super::lobby::{Guest, Lobby};
use super::metrics::{GaveWay, Listener};
use super::{Limits, address};
use crate::tls::connections::{Connections, Entry};
use crate::tls::{PeerCertificate, ServerTls, Tls, handshake};

/// Connections that are ready and wait to be served.
const WAITING: usize = 64;
/// After a failed accept, for example without file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// How a connection begins, and what shows who is at its other end.
#[derive(Clone)]
pub enum Entrance {
    /// Both ends show a certificate of the installation; an identity in it is enough.
    Mutual(Tls),
    /// The server shows a certificate; requests show who the peer is ([`Guest::make_known`]).
    Https(ServerTls),
    /// In plain; requests show who the peer is.
    Plain,
    /// In plain, and only for whoever Kubernetes lets into the pod.
    Pod,
}

/// Accepted connections, as a stream for `serve_with_incoming` and [`super::serve_http`].
pub struct Incoming {
    address: SocketAddr,
    accepted: mpsc::Receiver<io::Result<Connection>>,
    connections: Connections,
    // Dropped with the stream, which ends the accepting task.
    _accepting: JoinSet<()>,
}

impl Incoming {
    /// Listens. An address that names no interface means all of them.
    pub fn bind(address: SocketAddr, entrance: Entrance, limits: Limits) -> io::Result<Self> {
        let name = Listener::from(&entrance);
        Self::bind_as(name, address, entrance, limits)
    }

    /// The same, under another name than the entrance's.
    pub(crate) fn bind_as(
        name: Listener,
        address: SocketAddr,
        entrance: Entrance,
        limits: Limits,
    ) -> io::Result<Self> {
        let listener = address::bind(address)?;
        let address = listener.local_addr()?;
        let (sender, accepted) = mpsc::channel(WAITING);
        let connections = Connections::default();
        let mut accepting = JoinSet::new();
        let lobby = Lobby::new(limits, GaveWay::of(name));
        accepting.spawn(accept(listener, entrance, lobby, connections.clone(), sender));
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

/// Accepts for as long as somebody takes the connections. Handshakes run beside each other, as many as the lobby has places.
async fn accept(
    listener: TcpListener,
    entrance: Entrance,
    lobby: Arc<Lobby>,
    connections: Connections,
    sender: mpsc::Sender<io::Result<Connection>>,
) {
    let mut handshakes = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = sender.closed() => return,
        };
        while handshakes.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                let guest = lobby.enter(peer.ip());
                let opening = open(
                    entrance.clone(),
                    stream,
                    peer,
                    guest,
                    connections.clone(),
                    sender.clone(),
                );
                handshakes.spawn(opening);
            }
            Err(error) => {
                tracing::warn!(error = %error, "a connection can't be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn open(
    entrance: Entrance,
    stream: TcpStream,
    peer: SocketAddr,
    guest: Guest,
    connections: Connections,
    sender: mpsc::Sender<io::Result<Connection>>,
) {
    match Connection::open(&entrance, stream, peer, guest, &connections).await {
        // An error means that the server ends; the connection is dropped with it.
        Ok(connection) => drop(sender.send(Ok(connection)).await),
        Err(error) => tracing::debug!(%peer, error = %error, "no connection came about"),
    }
}

/// One connection.
pub struct Connection {
    io: Io,
    peer: PeerCertificate,
    remote: SocketAddr,
    guest: Guest,
    entry: Entry,
}

enum Io {
    Plain(Guarded),
    Tls(Box<TlsStream<Guarded>>),
}

impl Connection {
    async fn open(
        entrance: &Entrance,
        stream: TcpStream,
        remote: SocketAddr,
        guest: Guest,
        connections: &Connections,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let guarded = Guarded::new(stream, guest.clone(), matches!(entrance, Entrance::Pod));
        let (io, peer) = match entrance {
            Entrance::Plain | Entrance::Pod => (Io::Plain(guarded), PeerCertificate::new(None)),
            Entrance::Https(tls) => {
                let stream = handshake::accept(tls.current(), guarded).await?;
                (Io::Tls(Box::new(stream)), PeerCertificate::new(None))
            }
            Entrance::Mutual(tls) => {
                let (stream, peer) = handshake::identify(tls, guarded).await?;
                if let Some(peer) = peer.peer() {
                    guest.make_known_as(&peer.identity);
                }
                (Io::Tls(Box::new(stream)), peer)
            }
        };
        Ok(Self {
            io,
            entry: connections.enter(peer.peer()),
            peer,
            remote,
            guest,
        })
    }

    /// Where the other end is.
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// As what the listener knows it.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    fn io(self: Pin<&mut Self>) -> &mut Io {
        &mut self.get_mut().io
    }
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
        match self.io() {
            Io::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Io::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.entry.is_ended() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        match self.io() {
            Io::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Io::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.entry.is_ended() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        match self.io() {
            Io::Plain(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Io::Tls(stream) => Pin::new(stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(stream) => stream.is_write_vectored(),
            Io::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.io() {
            Io::Plain(stream) => Pin::new(stream).poll_flush(context),
            Io::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.io() {
            Io::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Io::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
