//! Connections from outside: bounded in number and patience.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::{Channel, http};

/// Connections at once; more wait in the kernel's queue.
const MOST: usize = 512;
/// How long a sender may take for its headers.
const HEADER_TIME: Duration = Duration::from_secs(10);
const MAX_HEADERS: usize = 64;
/// After a failed accept, for example without file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn listen(channel: Arc<Channel>, address: SocketAddr) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    let service = channel.service.clone();
    service.spawn_quiet("http", accept(channel, listener));
    Ok(bound)
}

async fn accept(channel: Arc<Channel>, listener: TcpListener) {
    let room = Arc::new(Semaphore::new(MOST));
    let shutdown = channel.service.shutdown();
    let router = http::router(Arc::clone(&channel));
    loop {
        let accepted = tokio::select! {
            accepted = async {
                let place = Arc::clone(&room).acquire_owned().await;
                (place, listener.accept().await)
            } => accepted,
            () = shutdown.requested() => return,
        };
        let (Ok(place), Ok((stream, _))) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (router, closing) = (router.clone(), channel.service.shutdown());
        channel.service.spawn_quiet("http-connection", async move {
            let _place = place;
            serve(router, stream, closing).await;
        });
    }
}

async fn serve(router: axum::Router, stream: TcpStream, shutdown: monstrum_service::Shutdown) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_headers(MAX_HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEADER_TIME)
        .max_concurrent_streams(64);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let mut asked = std::pin::pin!(shutdown.requested());
    let mut closing = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error = %error, "connection ended");
                }
                return;
            }
            () = asked.as_mut(), if !closing => {
                closing = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
