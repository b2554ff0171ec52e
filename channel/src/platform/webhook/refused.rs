//! Why a request goes no further.

use http::StatusCode;

use super::content::Unsupported;
use super::signature::Forged;
use crate::body::Unread;
use crate::intake::Refusal;

/// Why a request goes no further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    #[error(transparent)]
    Unread(#[from] Unread),
    #[error(transparent)]
    Forged(#[from] Forged),
    #[error("the body is not JSON without ambiguities")]
    Body,
    #[error("the body is too large when it is unpacked")]
    Unpacked,
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

impl Refused {
    /// The closed code: in answers and metrics.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Unsupported(Unsupported::Type) => "ContentType",
            Self::Unsupported(Unsupported::Encoding) => "ContentEncoding",
            Self::Unread(Unread::Busy) => "Busy",
            Self::Unread(Unread::TooLarge | Unread::Slow | Unread::Broken) | Self::Body | Self::Unpacked => {
                "Body"
            }
            Self::Forged(Forged::Headers) => "Headers",
            Self::Forged(Forged::Signature) => "Signature",
            Self::Forged(Forged::Time) => "Timestamp",
            Self::Refusal(refusal) => refusal.code(),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unread(Unread::TooLarge) | Self::Unpacked => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unread(Unread::Slow) => StatusCode::REQUEST_TIMEOUT,
            Self::Forged(Forged::Headers) | Self::Unread(Unread::Broken) | Self::Body => {
                StatusCode::BAD_REQUEST
            }
            Self::Forged(Forged::Signature | Forged::Time) => StatusCode::UNAUTHORIZED,
            Self::Unread(Unread::Busy)
            | Self::Refusal(Refusal::NoReplayStore | Refusal::UnderWay | Refusal::Busy) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Refusal(Refusal::NoRoute) => StatusCode::NOT_FOUND,
            Self::Refusal(Refusal::Incomplete | Refusal::TooLong) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refusal(Refusal::Forbidden) => StatusCode::FORBIDDEN,
        }
    }

    /// What strangers are refused for can't fill the log.
    pub(super) fn tell(&self, path: &str) {
        let code = self.code();
        match self {
            Self::Unsupported(_) | Self::Unread(_) | Self::Forged(_) => {
                tracing::debug!(code, path, "request refused");
            }
            Self::Body | Self::Unpacked | Self::Refusal(_) => tracing::info!(code, path, "request refused"),
        }
    }
}
