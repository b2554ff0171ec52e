//! The gates that a request has to pass before a gateway hears of it, in their order.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;

use crate::attempt::{Attempt, Held};
use crate::config::Mode;
use crate::content::{Content, Packed, Unsupported};
use crate::inbox::Parcel;
use crate::intake::Unread;
use crate::json;
use crate::ledger::LedgerError;
use crate::route::{self, Routed, Unroutable};
use crate::server::Channel;
use crate::signature::{Authentic, Forged};

/// Why a request goes no further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    #[error(transparent)]
    Unread(#[from] Unread),
    #[error(transparent)]
    Forged(#[from] Forged),
    #[error("the replay store can't be reached")]
    NoReplayStore,
    #[error("this very request is being answered; send it again later")]
    UnderWay,
    #[error("the body is not JSON without ambiguities")]
    Body,
    #[error("the body is too large when it is unpacked")]
    Unpacked,
    #[error(transparent)]
    Unroutable(#[from] Unroutable),
    #[error("the text is longer than 128 KiB")]
    TooLong,
    #[error("too many messages are under way; send it again later")]
    Busy,
}

/// A request that passed.
#[derive(Debug)]
pub(crate) enum Admitted {
    /// For a bot, whose answer the sender waits for.
    Message(Routed, Held),
    /// For a bot, and kept by the ledger until it is answered.
    Accepted(Parcel),
    /// Exactly this attempt came before.
    Duplicate,
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
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unsupported(Unsupported::Type) => "ContentType",
            Self::Unsupported(Unsupported::Encoding) => "ContentEncoding",
            Self::Unread(Unread::Busy) | Self::Busy => "Busy",
            Self::Unread(Unread::TooLarge | Unread::Slow | Unread::Broken) | Self::Body | Self::Unpacked => {
                "Body"
            }
            Self::UnderWay => "UnderWay",
            Self::Forged(Forged::Headers) => "Headers",
            Self::Forged(Forged::Signature) => "Signature",
            Self::Forged(Forged::Time) => "Timestamp",
            Self::NoReplayStore => "Unavailable",
            Self::Unroutable(Unroutable::NoRoute) => "NoRoute",
            Self::Unroutable(Unroutable::Incomplete) => "Incomplete",
            Self::Unroutable(Unroutable::Forbidden) => "Forbidden",
            Self::TooLong => "InvalidMessage",
        }
    }
}

impl Channel {
    /// Checks everything that needs no gateway, of a request whose signature fits.
    pub(crate) async fn admit(
        self: &Arc<Self>,
        path: &str,
        authentic: Authentic,
        content: Content,
        body: &Bytes,
    ) -> Result<Admitted, Refused> {
        let attempt = self.attempt_of(&authentic);
        match (self.config.mode, self.routed(path, content, body, &authentic.id)) {
            // The message is kept in the same write that takes the attempt: a replay is answered as one only if it is.
            (Mode::Callback, Ok(routed)) => {
                let parcel = self.accept(attempt, routed).await?;
                Ok(parcel.map_or(Admitted::Duplicate, Admitted::Accepted))
            }
            (Mode::Synchronous, Ok(routed)) => {
                let held = Held::take(self, attempt).await?;
                Ok(held.map_or(Admitted::Duplicate, |held| Admitted::Message(routed, held)))
            }
            // What is refused is taken too: it stays refused when the settings change.
            (Mode::Synchronous | Mode::Callback, Err(refused)) => {
                let Attempt { scope, id, keep } = attempt;
                if self.ledger.take_once(&scope, &id, keep).await? {
                    Err(refused)
                } else {
                    Ok(Admitted::Duplicate)
                }
            }
        }
    }

    fn attempt_of(&self, authentic: &Authentic) -> Attempt {
        // A repeat can pass the time window from its one end to its other.
        let window = u64::from(self.config.tolerance_seconds).saturating_mul(2);
        Attempt {
            scope: self.scope(),
            id: format!("{}.{}", authentic.timestamp, authentic.id),
            keep: Duration::from_secs(window.saturating_add(60)),
        }
    }

    /// Under which its ids and messages are kept.
    pub(crate) fn scope(&self) -> String {
        format!("webhook/{}", self.name)
    }

    fn routed(
        &self,
        path: &str,
        content: Content,
        body: &Bytes,
        message_id: &str,
    ) -> Result<Routed, Refused> {
        let body = content
            .unpack(body, self.config.largest_body())
            .map_err(|packed| match packed {
                Packed::Damaged => Refused::Body,
                Packed::TooLarge => Refused::Unpacked,
            })?;
        let value = json::parse(&body).map_err(|_| Refused::Body)?;
        Ok(route::route(&self.config, path, &value, message_id)?)
    }
}
