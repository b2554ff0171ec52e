//! A server that records what reaches it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// One recorded request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A running server.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

type Answer = Arc<dyn Fn(&Seen) -> Response + Send + Sync>;

impl Upstream {
    /// Answers every request with its own description.
    pub(crate) async fn start() -> Self {
        let described = |seen: &Seen| {
            let body = json!({ "target": seen.target }).to_string();
            ([("content-type", "application/json")], body).into_response()
        };
        Self::answering(described).await
    }

    pub(crate) async fn answering(answer: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", answer).await
    }

    pub(crate) async fn at(
        address: &str,
        answer: impl Fn(&Seen) -> Response + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
        };
        let state: (Answer, Arc<Mutex<Vec<Seen>>>) = (Arc::new(answer), Arc::clone(&upstream.seen));
        let router = Router::new().fallback(record).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        upstream
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The settings of a resource that may reach this server.
    pub(crate) fn config(&self) -> Value {
        json!({ "baseUrl": self.url(), "allowedAddresses": ["127.0.0.0/8"] })
    }
}

async fn record(State((answer, seen)): State<(Answer, Arc<Mutex<Vec<Seen>>>)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let request = Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let response = answer(&request);
    seen.lock().unwrap().push(request);
    response
}

/// An answer with these headers.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        let name = axum::http::HeaderName::try_from(*name).unwrap();
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response
}

/// A redirect to `place`.
pub(crate) fn redirect(place: &str) -> Response {
    answer(302, &[("location", place)], Body::empty())
}
