//! Why a model did not answer, and whether asking again may help.

use std::time::Duration;

use super::remedy;

/// Why a model did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No connection: the request was never sent.
    #[error("the model provider could not be reached: {0}")]
    NotConnected(String),
    /// The connection broke before an answer began.
    #[error("the model provider could not be reached: {0}")]
    Unreachable(String),
    /// The time for one request, or for the turn, is over.
    #[error("the model provider did not answer in time")]
    Timeout,
    /// The provider asks to slow down or is overloaded.
    #[error("the model provider is at its limit: {message}")]
    Busy {
        /// What it said.
        message: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The provider had an error of its own.
    #[error("the model provider failed with status {status}: {message}")]
    Failed {
        /// The HTTP status; 0 when the error came inside a stream.
        status: u16,
        /// What it said.
        message: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The provider refuses this request; the same request would be refused again.
    #[error("the model provider refused the request with status {status}: {message}")]
    Refused {
        /// The HTTP status; 0 when the error came inside a stream.
        status: u16,
        /// What it said.
        message: String,
    },
    /// The stream ended without a reason to stop.
    #[error("the model's answer broke off")]
    Cut,
    /// An answer that is not of the dialect.
    #[error("the model provider's answer can't be read: {0}")]
    Unreadable(String),
    /// An answer beyond every bound.
    #[error("the model's answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The policy's settings of the model don't work.
    #[error("the model's settings can't be used: {0}")]
    Configuration(String),
}

impl ModelError {
    /// From a response's status.
    pub(super) fn from_status(status: u16, message: String, retry_after: Option<Duration>) -> Self {
        match status {
            429 | 529 => Self::Busy { message, retry_after },
            408 | 409 | 425 | 500..=528 | 530..=599 => Self::Failed {
                status,
                message,
                retry_after,
            },
            _ => Self::Refused {
                status,
                message: remedy::told(message),
            },
        }
    }

    /// From the type that a provider gives an error inside a stream.
    pub(super) fn from_kind(kind: &str, message: String) -> Self {
        if kind.contains("rate_limit") || kind.contains("overloaded") {
            return Self::Busy {
                message,
                retry_after: None,
            };
        }
        let refused = [
            "invalid",
            "authentication",
            "permission",
            "not_found",
            "too_large",
            "billing",
        ];
        if refused.iter().any(|word| kind.contains(word)) {
            return Self::Refused {
                status: 0,
                message: remedy::told(message),
            };
        }
        Self::Failed {
            status: 0,
            message,
            retry_after: None,
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NotConnected(_)
            | Self::Unreachable(_)
            | Self::Timeout
            | Self::Busy { .. }
            | Self::Failed { .. }
            | Self::Cut => true,
            Self::Refused { .. } | Self::Unreadable(_) | Self::TooLarge(_) | Self::Configuration(_) => false,
        }
    }

    /// Whether the provider may have worked on the request, and may charge for it.
    pub fn may_have_cost(&self) -> bool {
        match self {
            Self::NotConnected(_) | Self::Busy { .. } | Self::Configuration(_) => false,
            // A status instead of an answer; inside of a stream there was the beginning of one.
            Self::Failed { status, .. } | Self::Refused { status, .. } => *status == 0,
            Self::Unreachable(_) | Self::Timeout | Self::Cut | Self::Unreadable(_) | Self::TooLarge(_) => {
                true
            }
        }
    }

    /// How long the provider asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } | Self::Failed { retry_after, .. } => *retry_after,
            Self::NotConnected(_)
            | Self::Unreachable(_)
            | Self::Timeout
            | Self::Refused { .. }
            | Self::Cut
            | Self::Unreadable(_)
            | Self::TooLarge(_)
            | Self::Configuration(_) => None,
        }
    }

    /// The closed code for metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotConnected(_) | Self::Unreachable(_) => "unreachable",
            Self::Timeout => "timeout",
            Self::Busy { .. } => "busy",
            Self::Failed { .. } => "failed",
            Self::Refused { .. } => "refused",
            Self::Cut => "cut",
            Self::Unreadable(_) => "unreadable",
            Self::TooLarge(_) => "too_large",
            Self::Configuration(_) => "configuration",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::slow_down(429, true)]
    #[case::overloaded(529, true)]
    #[case::bad_gateway(502, true)]
    #[case::request_timeout(408, true)]
    #[case::bad_request(400, false)]
    #[case::unauthorised(401, false)]
    #[case::not_found(404, false)]
    #[case::redirect(302, false)]
    fn a_status_says_whether_to_ask_again(#[case] status: u16, #[case] transient: bool) {
        assert_eq!(
            ModelError::from_status(status, String::new(), None).is_transient(),
            transient
        );
    }

    #[rstest]
    #[case::never_sent(ModelError::NotConnected(String::new()), false)]
    #[case::slow_down(ModelError::from_status(429, String::new(), None), false)]
    #[case::refused(ModelError::from_status(400, String::new(), None), false)]
    #[case::failed(ModelError::from_status(503, String::new(), None), false)]
    #[case::broke(ModelError::Unreachable(String::new()), true)]
    #[case::silent(ModelError::Timeout, true)]
    #[case::cut(ModelError::Cut, true)]
    #[case::failed_in_a_stream(ModelError::from_kind("api_error", String::new()), true)]
    fn only_what_was_certainly_not_worked_on_costs_nothing(#[case] error: ModelError, #[case] may: bool) {
        assert_eq!(error.may_have_cost(), may);
    }

    #[rstest]
    #[case("overloaded_error", true)]
    #[case("rate_limit_error", true)]
    #[case("api_error", true)]
    #[case("server_error", true)]
    #[case("invalid_request_error", false)]
    #[case("authentication_error", false)]
    fn a_kind_inside_a_stream_says_it_too(#[case] kind: &str, #[case] transient: bool) {
        assert_eq!(
            ModelError::from_kind(kind, String::new()).is_transient(),
            transient
        );
    }
}
