//! Why a turn gives no answer, in one clear sentence each.

use crate::ledger::LedgerError;
use crate::providers::ModelError;

/// Why a turn gives no answer. The codes are API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing is permitted, so nothing is asked.
    #[error("The bot has no policy in force. It will answer again once the operator has sent one.")]
    NoPolicy,
    /// Too many messages wait already.
    #[error("The conversation has {0} messages waiting already. Send yours again when they are answered.")]
    QueueFull(u32),
    /// Too many conversations at once.
    #[error("The bot has {0} conversations under way already. Send the message again later.")]
    Busy(usize),
    /// The message was run before, and its answer is not at hand.
    #[error("This message was received before.")]
    Duplicate,
    /// The model gives no answer.
    #[error("The model did not answer: {0}.")]
    ModelUnavailable(ModelError),
    /// The conversation is larger than what the model reads.
    #[error("The conversation does not fit into the model any more. Start a new one.")]
    ContextFull,
    /// The key of the model provider can't be had.
    #[error("The key of the model provider can't be used: {0}.")]
    KeyUnavailable(String),
    /// What a request to the model may use is more than a budget has left.
    #[error(
        "The bot can't ask its model: {0}. It can go on when there is room again, or when an administrator raises the budget."
    )]
    BudgetExceeded(String),
    /// Nothing can be recorded, so nothing is done.
    #[error(
        "The conversation can't be recorded right now, so nothing was done. Send the message again later."
    )]
    LedgerUnavailable(LedgerError),
    /// The turn's time is over.
    #[error("The turn ran out of time. What was done until now is recorded; send another message to go on.")]
    TurnTimeout,
    /// Nobody listens any more.
    #[error("The turn was cancelled.")]
    Cancelled,
    /// Another gateway goes on.
    #[error("The conversation was taken over by another gateway. Send the message again.")]
    SessionLost,
    /// This process stops.
    #[error("The gateway is being restarted. Send the message again.")]
    Draining,
    /// The message can't be taken.
    #[error("The message can't be taken: {0}.")]
    InvalidMessage(String),
    /// The session is not the sender's.
    #[error("The conversation can't be used: {0}.")]
    SessionRefused(String),
}

impl Failure {
    /// The closed code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPolicy => "NoPolicy",
            Self::QueueFull(_) => "QueueFull",
            Self::Busy(_) => "Busy",
            Self::Duplicate => "Duplicate",
            Self::ModelUnavailable(_) => "ModelUnavailable",
            Self::ContextFull => "ContextFull",
            Self::KeyUnavailable(_) => "KeyUnavailable",
            Self::BudgetExceeded(_) => "BudgetExceeded",
            Self::LedgerUnavailable(_) => "LedgerUnavailable",
            Self::TurnTimeout => "TurnTimeout",
            Self::Cancelled => "Cancelled",
            Self::SessionLost => "SessionLost",
            Self::Draining => "Draining",
            Self::InvalidMessage(_) => "InvalidMessage",
            Self::SessionRefused(_) => "SessionRefused",
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::SessionLost | LedgerError::SessionTaken => Self::SessionLost,
            LedgerError::Refused(reason) => Self::SessionRefused(reason),
            LedgerError::Unreachable(_) | LedgerError::Repeated | LedgerError::Exhausted(_) => {
                Self::LedgerUnavailable(error)
            }
        }
    }
}
