//! How a call ended.

use monstrum_wire::runner as wire;
use serde_json::{Map, Value};

/// A few facts for the record: status, exit code, address. Never a secret.
pub type Facts = Map<String, Value>;

/// How a call ended.
pub type Outcome = Result<Success, Failure>;

/// The call was performed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Success {
    /// What comes after the chunks that were sent.
    pub content: Vec<u8>,
    /// More existed than was kept.
    pub truncated: bool,
    /// Facts for the record.
    pub facts: Facts,
    /// The type of the image that the content is; empty when it is text.
    pub media_type: String,
}

/// The call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What sort of failure.
    pub kind: FailureKind,
    /// One sentence.
    pub message: String,
    /// When the upstream wants to be asked again, in seconds.
    pub retry_after: Option<u32>,
    /// Facts for the record.
    pub facts: Facts,
}

/// What sort of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The target could not be reached.
    Unreachable,
    /// The target answered with an error.
    Upstream,
    /// The target wants fewer calls.
    RateLimited,
    /// Not done in time.
    Timeout,
    /// The gateway cancelled it.
    Cancelled,
    /// The executor's own guard refused.
    Refused,
    /// Can't be executed as configured.
    Invalid,
    /// Our fault.
    Internal,
}

impl Failure {
    fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after: None,
            facts: Facts::new(),
        }
    }

    /// The target could not be reached.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unreachable, message)
    }

    /// The target answered with an error.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Upstream, message)
    }

    /// Not done in time.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Timeout, message)
    }

    /// Cancelled.
    pub fn cancelled(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Cancelled, message)
    }

    /// The executor's own guard refused.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused, message)
    }

    /// Can't be executed as configured.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Invalid, message)
    }

    /// Our fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Internal, message)
    }

    /// Adds facts for the record.
    #[must_use]
    pub fn with_facts(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }

    /// Says when the upstream wants to be asked again; a rate limit if it says so with `limited`.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: Option<u32>, limited: bool) -> Self {
        self.retry_after = seconds;
        if limited {
            self.kind = FailureKind::RateLimited;
        }
        self
    }
}

impl From<FailureKind> for wire::FailureKind {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Unreachable => Self::Unreachable,
            FailureKind::Upstream => Self::Upstream,
            FailureKind::RateLimited => Self::RateLimited,
            FailureKind::Timeout => Self::Timeout,
            FailureKind::Cancelled => Self::Cancelled,
            FailureKind::Refused => Self::Refused,
            FailureKind::Invalid => Self::Invalid,
            FailureKind::Internal => Self::Internal,
        }
    }
}

impl From<Success> for wire::Success {
    fn from(success: Success) -> Self {
        Self {
            content: success.content,
            truncated: success.truncated,
            facts_json: Value::Object(success.facts).to_string(),
            media_type: success.media_type,
        }
    }
}

impl From<Failure> for wire::Failure {
    fn from(failure: Failure) -> Self {
        Self {
            kind: wire::FailureKind::from(failure.kind).into(),
            message: failure.message,
            retry_after_seconds: failure.retry_after.unwrap_or(0),
            facts_json: Value::Object(failure.facts).to_string(),
        }
    }
}
