//! The HTTP face: every path is a possible route, only POST is taken.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::json;

use super::Channel;
use super::admission::{Admitted, Refused};
use super::config::Mode;
use super::delivery::Undelivered;
use super::inbox;
use super::route::{Routed, Unroutable};
use super::signature::Forged;

/// How long a sender may take for its body.
const BODY_TIME: Duration = Duration::from_secs(10);

pub(super) fn router(channel: Arc<Channel>) -> Router {
    Router::new()
        .route("/", post(receive))
        .route("/{*path}", post(receive))
        .with_state(channel)
}

async fn receive(State(channel): State<Arc<Channel>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match read(&channel, body).await {
        Ok(body) => body,
        Err(status) => {
            channel.metrics.request("Body");
            return problem(status, "Body", "the body is too large or came too slowly");
        }
    };
    match channel.admit(parts.uri.path(), &parts.headers, &body).await {
        Ok(Admitted::Duplicate) => {
            channel.metrics.request("duplicate");
            let status = success(channel.config.mode);
            (status, axum::Json(json!({ "status": "duplicate" }))).into_response()
        }
        Ok(Admitted::Message(routed)) => {
            channel.metrics.request("accepted");
            answer(&channel, routed).await
        }
        Ok(Admitted::Accepted(parcel)) => {
            channel.metrics.request("accepted");
            inbox::deliver(&channel, parcel);
            (StatusCode::ACCEPTED, axum::Json(json!({ "status": "accepted" }))).into_response()
        }
        Err(refused) => {
            channel.metrics.request(refused.code());
            tracing::info!(code = refused.code(), path = parts.uri.path(), "request refused");
            problem(status(&refused), refused.code(), &refused.to_string())
        }
    }
}

/// The answer to a sender that waits for it.
async fn answer(channel: &Channel, routed: Routed) -> Response {
    match channel.gateways.deliver(&routed.bot, &routed.request).await {
        Ok(answer) => axum::Json(json!({ "session": answer.session, "text": answer.text })).into_response(),
        Err(undelivered) => failure(&undelivered),
    }
}

async fn read(channel: &Channel, body: Body) -> Result<Bytes, StatusCode> {
    let most = usize::try_from(channel.config.max_body_bytes).unwrap_or(usize::MAX);
    match tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, most)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn success(mode: Mode) -> StatusCode {
    match mode {
        Mode::Synchronous => StatusCode::OK,
        Mode::Callback => StatusCode::ACCEPTED,
    }
}

fn status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refused::Forged(Forged::Headers) | Refused::Body => StatusCode::BAD_REQUEST,
        Refused::Forged(Forged::Signature | Forged::Time) => StatusCode::UNAUTHORIZED,
        Refused::NoReplayStore | Refused::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Refused::Unroutable(Unroutable::NoRoute) => StatusCode::NOT_FOUND,
        Refused::Unroutable(Unroutable::Incomplete) | Refused::TooLong => StatusCode::UNPROCESSABLE_ENTITY,
        Refused::Unroutable(Unroutable::Forbidden) => StatusCode::FORBIDDEN,
    }
}

fn failure(undelivered: &Undelivered) -> Response {
    let status = match undelivered.code.as_str() {
        "Duplicate" => return axum::Json(json!({ "status": "duplicate" })).into_response(),
        "QueueFull" | "Busy" => StatusCode::TOO_MANY_REQUESTS,
        "TurnTimeout" => StatusCode::GATEWAY_TIMEOUT,
        "InvalidMessage" => StatusCode::UNPROCESSABLE_ENTITY,
        "SessionRefused" | "Refused" => StatusCode::FORBIDDEN,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    problem(status, &undelivered.code, &undelivered.message)
}

fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    let body = axum::Json(json!({ "error": { "code": code, "message": message } }));
    let mut response = (status, body).into_response();
    if matches!(
        status,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    ) {
        response
            .headers_mut()
            .insert(RETRY_AFTER, http::HeaderValue::from_static("5"));
    }
    response
}
