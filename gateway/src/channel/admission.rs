//! The gates that a request has to pass before a gateway hears of it, in their order.

use std::time::Duration;

use http::HeaderMap;

use super::Channel;
use super::json;
use super::route::{self, Routed, Unroutable};
use super::signature::{self, Forged};

/// What a request may say about its body.
const CONTENT_TYPE: &str = "application/json";

/// Why a request goes no further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("the content type must be application/json")]
    ContentType,
    #[error(transparent)]
    Forged(#[from] Forged),
    #[error("the replay store can't be reached")]
    NoReplayStore,
    #[error("the body is not JSON without ambiguities")]
    Body,
    #[error(transparent)]
    Unroutable(#[from] Unroutable),
}

/// A request that passed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Admitted {
    /// For a bot.
    Message(Routed),
    /// Exactly this attempt came before.
    Duplicate,
}

impl Refused {
    /// The closed code: in answers and metrics.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::ContentType => "ContentType",
            Self::Forged(Forged::Headers) => "Headers",
            Self::Forged(Forged::Signature) => "Signature",
            Self::Forged(Forged::Time) => "Timestamp",
            Self::NoReplayStore => "Unavailable",
            Self::Body => "Body",
            Self::Unroutable(Unroutable::NoRoute) => "NoRoute",
            Self::Unroutable(Unroutable::Incomplete) => "Incomplete",
            Self::Unroutable(Unroutable::Forbidden) => "Forbidden",
        }
    }
}

impl Channel {
    /// Checks everything that needs no gateway. The body is bounded already.
    pub(super) async fn admit(
        &self,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Admitted, Refused> {
        if !is_json(headers) {
            return Err(Refused::ContentType);
        }
        let now = jiff::Timestamp::now().as_second();
        let keys = self.keys.current();
        let tolerance = self.config.tolerance_seconds;
        let authentic = signature::verify(headers, body, &keys, now, tolerance)?;
        // A repeat can pass the time window from its one end to its other.
        let keep = Duration::from_secs(u64::from(tolerance).saturating_mul(2).saturating_add(60));
        let attempt = format!("{}.{}", authentic.timestamp, authentic.id);
        let scope = format!("webhook/{}", self.name);
        let fresh = self
            .ledger
            .take_once(&scope, &attempt, keep)
            .await
            .map_err(|error| {
                tracing::error!(error = %error, "no request is taken without the replay store");
                Refused::NoReplayStore
            })?;
        if !fresh {
            return Ok(Admitted::Duplicate);
        }
        let value = json::parse(body).map_err(|_| Refused::Body)?;
        Ok(Admitted::Message(route::route(
            &self.config,
            path,
            &value,
            &authentic.id,
        )?))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = value
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(CONTENT_TYPE)
}
