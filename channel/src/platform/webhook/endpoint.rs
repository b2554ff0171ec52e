//! The HTTP endpoint: every path is a possible route, only POST is taken.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use monstrum_service::listener::Guest;
use serde_json::{Value, json};

use super::content::{Content, Packed};
use super::refused::Refused;
use super::signature::{Authentic, Claim};
use super::{Webhook, json, route, settings};
use crate::intake::{Attempt, Intake, Message};
use crate::platform::{Answer, Undelivered};
use crate::settings::webhook::Mode;

struct Endpoint {
    webhook: Arc<Webhook>,
    intake: Intake,
}

/// What comes of a request that is not refused.
enum Outcome {
    /// The bot's, for a sender that waits.
    Answer(Result<Answer, Undelivered>),
    /// It is kept until it is answered.
    Accepted,
    /// Exactly this attempt came before.
    Duplicate,
}

pub(super) fn router(webhook: Arc<Webhook>, intake: Intake) -> Router {
    Router::new()
        .route("/", post(receive))
        .route("/{*path}", post(receive))
        .with_state(Arc::new(Endpoint { webhook, intake }))
}

async fn receive(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match endpoint.take(&parts, body).await {
        Ok(outcome) => endpoint.response(outcome),
        Err(refused) => {
            endpoint.intake.count(refused.code());
            refused.tell(parts.uri.path());
            problem(refused.status(), refused.code(), &refused.to_string())
        }
    }
}

impl Endpoint {
    /// Everything that can be said without the body comes before the body is read, and its signature before anything else of it.
    async fn take(&self, parts: &Parts, body: Body) -> Result<Outcome, Refused> {
        let content = Content::of(&parts.headers)?;
        let claim = Claim::of(&parts.headers)?;
        let announced = body.size_hint().lower();
        let unverified = self.webhook.bodies.read(body, Some(announced)).await?;
        let now = jiff::Timestamp::now().as_second();
        let tolerance = self.webhook.settings.tolerance_seconds;
        let keys = self.webhook.keys.current();
        let authentic = claim.verify(unverified.bytes(), &keys, now, tolerance)?;
        if let Some(guest) = parts.extensions.get::<Guest>() {
            guest.make_known();
        }
        let body = unverified.bytes().clone();
        drop(unverified);
        let message = self.message(parts.uri.path(), content, &body, &authentic);
        self.hand_in(self.attempt(&authentic), message).await
    }

    async fn hand_in(&self, attempt: Attempt, message: Result<Message, Refused>) -> Result<Outcome, Refused> {
        match (self.webhook.settings.mode, message) {
            // The message is kept in the same write that takes the attempt: a replay is answered as one only if it is.
            (Mode::Callback, Ok(message)) => {
                let accepted = self.intake.accept(attempt, message).await?;
                Ok(if accepted {
                    Outcome::Accepted
                } else {
                    Outcome::Duplicate
                })
            }
            (Mode::Synchronous, Ok(message)) => {
                let answer = self.intake.answer(attempt, message).await?;
                Ok(answer.map_or(Outcome::Duplicate, Outcome::Answer))
            }
            // What is refused is taken too: it stays refused when the settings change.
            (Mode::Synchronous | Mode::Callback, Err(refused)) => {
                if self.intake.take(&attempt).await? {
                    Err(refused)
                } else {
                    Ok(Outcome::Duplicate)
                }
            }
        }
    }

    fn attempt(&self, authentic: &Authentic) -> Attempt {
        // A repeat can pass the time window from its one end to its other.
        let window = u64::from(self.webhook.settings.tolerance_seconds).saturating_mul(2);
        Attempt {
            id: format!("{}.{}", authentic.timestamp, authentic.id),
            keep: Duration::from_secs(window.saturating_add(60)),
        }
    }

    fn message(
        &self,
        path: &str,
        content: Content,
        body: &Bytes,
        authentic: &Authentic,
    ) -> Result<Message, Refused> {
        let settings = &self.webhook.settings;
        let body = content
            .unpack(body, settings::largest_body(settings))
            .map_err(|packed| match packed {
                Packed::Damaged => Refused::Body,
                Packed::TooLarge => Refused::Unpacked,
            })?;
        let value = json::parse(&body).map_err(|_| Refused::Body)?;
        let received = route::received(self.intake.routes(), settings, path, &value, &authentic.id)?;
        Ok(self.intake.message(received)?)
    }

    fn response(&self, outcome: Outcome) -> Response {
        let success = match self.webhook.settings.mode {
            Mode::Synchronous => StatusCode::OK,
            Mode::Callback => StatusCode::ACCEPTED,
        };
        match outcome {
            Outcome::Answer(Ok(answer)) => told(
                success,
                &json!({ "session": answer.session, "text": answer.text }),
            ),
            Outcome::Answer(Err(undelivered)) => failure(&undelivered),
            Outcome::Accepted => told(success, &json!({ "status": "accepted" })),
            Outcome::Duplicate => told(success, &json!({ "status": "duplicate" })),
        }
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

fn told(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
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
