//! The HTTP face: every path is a possible route, only POST is taken.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use monstrum_service::listener::Guest;
use serde_json::{Value, json};

use super::Channel;
use super::admission::{Admitted, Refused};
use super::attempt::Held;
use super::config::Mode;
use super::content::Content;
use super::delivery::Undelivered;
use super::inbox;
use super::intake::Unread;
use super::route::{Routed, Unroutable};
use super::signature::{Claim, Forged};

pub(super) fn router(channel: Arc<Channel>) -> Router {
    Router::new()
        .route("/", post(receive))
        .route("/{*path}", post(receive))
        .with_state(channel)
}

async fn receive(State(channel): State<Arc<Channel>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match admit(&channel, &parts, body).await {
        Ok(Admitted::Duplicate) => {
            channel.metrics.request("duplicate");
            told(success(channel.config.mode), &json!({ "status": "duplicate" }))
        }
        Ok(Admitted::Message(routed, held)) => {
            channel.metrics.request("accepted");
            answer(&channel, routed, held).await
        }
        Ok(Admitted::Accepted(parcel)) => {
            channel.metrics.request("accepted");
            inbox::deliver(&channel, parcel);
            told(StatusCode::ACCEPTED, &json!({ "status": "accepted" }))
        }
        Err(refused) => {
            channel.metrics.request(refused.code());
            tell(&refused, parts.uri.path());
            problem(status(&refused), refused.code(), &refused.to_string())
        }
    }
}

/// What strangers are refused for can't fill the log.
fn tell(refused: &Refused, path: &str) {
    let code = refused.code();
    if matches!(
        refused,
        Refused::Unsupported(_) | Refused::Unread(_) | Refused::Forged(_)
    ) {
        tracing::debug!(code, path, "request refused");
    } else {
        tracing::info!(code, path, "request refused");
    }
}

/// Everything that can be said without the body comes before the body is read, and its signature before anything else of it.
async fn admit(channel: &Arc<Channel>, parts: &Parts, body: Body) -> Result<Admitted, Refused> {
    let content = Content::of(&parts.headers)?;
    let claim = Claim::of(&parts.headers)?;
    let announced = body.size_hint().lower();
    let unverified = channel.intake.read(body, Some(announced)).await?;
    let now = jiff::Timestamp::now().as_second();
    let keys = channel.keys.current();
    let authentic = claim.verify(unverified.bytes(), &keys, now, channel.config.tolerance_seconds)?;
    if let Some(guest) = parts.extensions.get::<Guest>() {
        guest.make_known();
    }
    let body = unverified.bytes().clone();
    drop(unverified);
    channel.admit(parts.uri.path(), authentic, content, &body).await
}

/// The answer to a sender that waits for it. An attempt that failed in a way that may pass can be made again.
async fn answer(channel: &Channel, routed: Routed, held: Held) -> Response {
    let delivery = channel.gateways.deliver(&routed.bot, &routed.request);
    let response = match held.during(delivery).await {
        Ok(answer) => told(
            StatusCode::OK,
            &json!({ "session": answer.session, "text": answer.text }),
        ),
        Err(undelivered) => failure(&undelivered),
    };
    if may_pass(response.status()) {
        held.give_back().await;
    } else {
        held.settle().await;
    }
    response
}

/// Whether senders try again after this status.
fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

fn success(mode: Mode) -> StatusCode {
    match mode {
        Mode::Synchronous => StatusCode::OK,
        Mode::Callback => StatusCode::ACCEPTED,
    }
}

fn status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refused::Unread(Unread::TooLarge) | Refused::Unpacked => StatusCode::PAYLOAD_TOO_LARGE,
        Refused::Unread(Unread::Slow) => StatusCode::REQUEST_TIMEOUT,
        Refused::Forged(Forged::Headers) | Refused::Unread(Unread::Broken) | Refused::Body => {
            StatusCode::BAD_REQUEST
        }
        Refused::Forged(Forged::Signature | Forged::Time) => StatusCode::UNAUTHORIZED,
        Refused::NoReplayStore | Refused::UnderWay | Refused::Unread(Unread::Busy) | Refused::Busy => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Refused::Unroutable(Unroutable::NoRoute) => StatusCode::NOT_FOUND,
        Refused::Unroutable(Unroutable::Incomplete) | Refused::TooLong => StatusCode::UNPROCESSABLE_ENTITY,
        Refused::Unroutable(Unroutable::Forbidden) => StatusCode::FORBIDDEN,
    }
}

fn failure(undelivered: &Undelivered) -> Response {
    let status = match undelivered.code.as_str() {
        "Duplicate" => return told(StatusCode::OK, &json!({ "status": "duplicate" })),
        "QueueFull" | "Busy" => StatusCode::TOO_MANY_REQUESTS,
        "TurnTimeout" => StatusCode::GATEWAY_TIMEOUT,
        "InvalidMessage" => StatusCode::UNPROCESSABLE_ENTITY,
        "SessionRefused" | "Refused" => StatusCode::FORBIDDEN,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    problem(status, &undelivered.code, &undelivered.message)
}

fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    let mut response = told(status, &json!({ "error": { "code": code, "message": message } }));
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

fn told(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
