//! HTTP over accepted connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use futures::StreamExt as _;
use http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::incoming::{Connection, Incoming};
use super::{KEEP_ALIVE, MAX_HEADER_BYTES, MAX_RESETS};
use crate::shutdown::Shutdown;

const MAX_HEADERS: usize = 64;
/// What is read ahead of a request, over HTTP/1; its headers have to fit.
const MAX_BUFFER: usize = 32 << 10;
/// Requests of one connection at once, over HTTP/2, and what it may send before somebody reads it.
const MAX_STREAMS: u32 = 16;
const WINDOW: u32 = 64 << 10;

/// Answers requests until `shutdown` is asked for, then those under way. A handler finds the peer's address
/// (`ConnectInfo<SocketAddr>`) and its [`super::Guest`] among the request's extensions.
pub async fn serve_http(mut incoming: Incoming, router: Router, shutdown: Shutdown) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = incoming.next() => accepted,
            Some(ended) = connections.join_next() => {
                if let Err(join) = ended {
                    tracing::error!(error = %join, "a connection's task failed");
                }
                continue;
            }
            () = shutdown.requested() => break,
        };
        match accepted {
            Some(Ok(connection)) => {
                connections.spawn(serve(connection, router.clone(), shutdown.clone()));
            }
            Some(Err(_)) => {}
            None => break,
        }
    }
    drop(incoming);
    while connections.join_next().await.is_some() {}
}

/// Requests that are under way on one connection.
#[derive(Debug, Default)]
struct Attendance {
    requests: AtomicUsize,
    changed: Notify,
}

struct Present(Arc<Attendance>);

impl Attendance {
    fn begin(self: &Arc<Self>) -> Present {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
        Present(Arc::clone(self))
    }

    fn is_empty(&self) -> bool {
        self.requests.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.notify_one();
    }
}

async fn serve(connection: Connection, router: Router, shutdown: Shutdown) {
    let (remote, guest) = (connection.remote(), connection.guest().clone());
    let idle = guest.limits().idle;
    let attendance = Arc::new(Attendance::default());
    let attended = Arc::clone(&attendance);
    let service = tower::service_fn(move |mut request: Request<hyper::body::Incoming>| {
        let present = attended.begin();
        guest.heard();
        request.extensions_mut().insert(ConnectInfo(remote));
        request.extensions_mut().insert(guest.clone());
        let answer = router.clone().oneshot(request.map(Body::new));
        async move {
            let response = answer.await;
            drop(present);
            response
        }
    });
    let builder = builder();
    let connection = builder.serve_connection(TokioIo::new(connection), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return told(ended),
        () = shutdown.requested() => {}
        () = attendance.idle_for(idle) => {}
    }
    connection.as_mut().graceful_shutdown();
    // Answers under way may take their time; a connection that only stays open may not.
    tokio::select! {
        ended = connection.as_mut() => told(ended),
        () = attendance.idle_for(idle) => {}
    }
}

impl Attendance {
    /// Resolves when no request was under way for so long.
    async fn idle_for(&self, span: Duration) {
        loop {
            if self.is_empty() {
                let still = tokio::time::timeout(span, self.changed.notified()).await.is_err();
                if still && self.is_empty() {
                    return;
                }
            } else {
                self.changed.notified().await;
            }
        }
    }
}

fn told(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(error = %error, "connection ended");
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(KEEP_ALIVE)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS)
        .max_header_list_size(MAX_HEADER_BYTES)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(WINDOW as usize);
    builder
}
