//! The gates that a request has to pass before a gateway hears of it, in their order.

use std::time::Duration;

use http::HeaderMap;

use super::Channel;
use super::config::Mode;
use super::inbox::Parcel;
use super::json;
use super::route::{self, Routed, Unroutable};
use super::signature::{self, Forged};
use crate::ledger::LedgerError;

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
    #[error("the text is longer than 128 KiB")]
    TooLong,
    #[error("too many messages are under way; send it again later")]
    Busy,
}

/// A request that passed.
#[derive(Debug)]
pub(super) enum Admitted {
    /// For a bot, whose answer the sender waits for.
    Message(Routed),
    /// For a bot, and kept by the ledger until it is answered.
    Accepted(Parcel),
    /// Exactly this attempt came before.
    Duplicate,
}

/// One attempt of a sender, as the replay store knows it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) scope: String,
    pub(super) id: String,
    pub(super) keep: Duration,
}

impl From<LedgerError> for Refused {
    fn from(error: LedgerError) -> Self {
        tracing::error!(error = %error, "no request is taken without the replay store");
        match error {
            LedgerError::Exhausted(_) => Self::Busy,
            _ => Self::NoReplayStore,
        }
    }
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
            Self::TooLong => "InvalidMessage",
            Self::Busy => "Busy",
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
        let attempt = Attempt {
            scope: self.scope(),
            id: format!("{}.{}", authentic.timestamp, authentic.id),
            keep,
        };
        match (self.config.mode, self.routed(path, body, &authentic.id)) {
            // The message is kept in the same write that takes the attempt: a replay is answered as one only if it is.
            (Mode::Callback, Ok(routed)) => {
                let parcel = self.accept(attempt, routed).await?;
                Ok(parcel.map_or(Admitted::Duplicate, Admitted::Accepted))
            }
            // What is refused is taken too: it stays refused when the settings change.
            (Mode::Synchronous | Mode::Callback, routed) => {
                let Attempt { scope, id, keep } = attempt;
                if !self.ledger.take_once(&scope, &id, keep).await? {
                    return Ok(Admitted::Duplicate);
                }
                routed.map(Admitted::Message)
            }
        }
    }

    /// Under which its ids and messages are kept.
    pub(super) fn scope(&self) -> String {
        format!("webhook/{}", self.name)
    }

    fn routed(&self, path: &str, body: &[u8], message_id: &str) -> Result<Routed, Refused> {
        let value = json::parse(body).map_err(|_| Refused::Body)?;
        Ok(route::route(&self.config, path, &value, message_id)?)
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
