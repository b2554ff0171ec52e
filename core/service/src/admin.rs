//! The admin port: is the process alive, is it ready, what does it count, what does it log.
//!
//! `GET /healthz`, `GET /readyz`, `GET /metrics` (OpenMetrics), and `PUT /log` with `tracing` directives as its body, which
//! only a caller on the pod's own loopback may use (`kubectl port-forward`).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, put};
use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;

use crate::listener::{Incoming, serve_http};
use crate::readiness::Readiness;
use crate::shutdown::Shutdown;
use crate::telemetry::LogHandle;

/// The longest `tracing` directives.
const MAX_DIRECTIVES: usize = 16 << 10;

/// What the admin port shows and changes.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) readiness: Readiness,
    pub(crate) registry: Arc<Mutex<Registry>>,
    pub(crate) shutdown: Shutdown,
    pub(crate) log: Option<LogHandle>,
}

/// Serves until the process ends: health answers during a drain, too.
pub(crate) async fn serve(incoming: Incoming, admin: Admin) {
    serve_http(incoming, router(admin), Shutdown::default()).await;
}

fn router(admin: Admin) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/log", put(log))
        .with_state(admin)
}

async fn ready(State(admin): State<Admin>) -> (StatusCode, String) {
    let mut reasons = admin.readiness.reasons();
    if admin.shutdown.is_requested() {
        reasons.push("stopping".to_owned());
    }
    if reasons.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("not ready: {}\n", reasons.join(", ")),
    )
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    let mut text = String::new();
    let registry = admin.registry.lock().unwrap_or_else(PoisonError::into_inner);
    match prometheus_client::encoding::text::encode(&mut text, &registry) {
        Ok(()) => (
            StatusCode::OK,
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        ),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            format!("metrics can't be encoded: {error}\n"),
        ),
    }
}

async fn log(
    State(admin): State<Admin>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    request: Request,
) -> (StatusCode, String) {
    if !caller.ip().is_loopback() {
        return (
            StatusCode::FORBIDDEN,
            "only from the pod itself, through a port-forward\n".to_owned(),
        );
    }
    let Some(handle) = &admin.log else {
        return (
            StatusCode::CONFLICT,
            "logging was not started by this process\n".to_owned(),
        );
    };
    let Ok(directives) = axum::body::to_bytes(request.into_body(), MAX_DIRECTIVES).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "too many directives\n".to_owned());
    };
    let changed = EnvFilter::try_new(String::from_utf8_lossy(&directives).trim())
        .map_err(|error| error.to_string())
        .and_then(|filter| handle.reload(filter).map_err(|error| error.to_string()));
    match changed {
        Ok(()) => (StatusCode::OK, "changed\n".to_owned()),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use tower::ServiceExt as _;

    fn admin() -> Admin {
        Admin {
            readiness: Readiness::default(),
            registry: Arc::default(),
            shutdown: Shutdown::default(),
            log: None,
        }
    }

    async fn status(admin: &Admin, path: &str) -> StatusCode {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router(admin.clone()).oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn readiness_follows_tokens_and_stopping() {
        let admin = admin();
        let token = admin.readiness.block("no policy");
        assert_eq!(status(&admin, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(&admin, "/healthz").await, StatusCode::OK);
        token.release();
        assert_eq!(status(&admin, "/readyz").await, StatusCode::OK);
        admin.shutdown.request();
        assert_eq!(status(&admin, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn the_log_level_is_changed_from_the_pod_only() {
        let outside = ConnectInfo(SocketAddr::from(([198, 18, 0, 7], 1)));
        let (status, _) = log(State(admin()), outside, Request::new(Body::from("debug"))).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
}
