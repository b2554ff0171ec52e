//! Why a verified message goes no further.

use crate::ledger::LedgerError;

/// Why a verified message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No route fits.
    #[error("no route fits this path and body")]
    NoRoute,
    /// A part is missing.
    #[error("the body has no text, or no sender, where the route expects them")]
    Incomplete,
    /// Its sender may not talk.
    #[error("this sender may not talk here")]
    Forbidden,
    /// Longer than any gateway takes.
    #[error("the text is longer than 128 KiB")]
    TooLong,
    /// There is no room for it now.
    #[error("too many messages are under way; send it again later")]
    Busy,
    /// The same attempt is being answered.
    #[error("this very request is being answered; send it again later")]
    UnderWay,
    /// The ledger can't be reached, without which nothing is taken.
    #[error("the replay store can't be reached")]
    NoReplayStore,
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        tracing::error!(error = %error, "no request is taken without the replay store");
        match error {
            LedgerError::Exhausted(_) => Self::Busy,
            _ => Self::NoReplayStore,
        }
    }
}

impl Refusal {
    /// The closed code: in answers and metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoRoute => "NoRoute",
            Self::Incomplete => "Incomplete",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "InvalidMessage",
            Self::Busy => "Busy",
            Self::UnderWay => "UnderWay",
            Self::NoReplayStore => "Unavailable",
        }
    }
}
