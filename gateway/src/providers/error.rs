//! Why a model did not answer, and whether asking again may help.

use std::time::Duration;

use monstrum_scrub::{Scrubber, Tainted};

use super::remedy;

/// How much of what a provider says is told.
const MAX_TOLD: usize = 400;

/// Why a model did not answer. What the wire says is [`Tainted`] until [`ModelError::clean`], so that no error can be told or logged
/// before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError<T = String> {
    /// No connection: the request was never sent.
    #[error("the model provider could not be reached: {0}")]
    NotConnected(T),
    /// The connection broke before an answer began.
    #[error("the model provider could not be reached: {0}")]
    Unreachable(T),
    /// The time for one request, or for the turn, is over.
    #[error("the model provider did not answer in time")]
    Timeout,
    /// The provider says why not.
    #[error("{}{}: {}", .0.class.sentence(), status(.0.status), .0.message)]
    Provider(ProviderError<T>),
    /// The stream ended without a reason to stop.
    #[error("the model's answer broke off")]
    Cut,
    /// An answer that is not of the dialect.
    #[error("the model provider's answer can't be read: {0}")]
    Unreadable(T),
    /// An answer beyond every bound.
    #[error("the model's answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The policy's settings of the model don't work.
    #[error("the model's settings can't be used: {0}")]
    Configuration(T),
}

/// What a provider says in place of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderError<T = String> {
    /// What it comes to.
    pub class: ErrorClass,
    /// The HTTP status, or the one that an error in place of an answer names; 0 for none.
    pub status: u16,
    /// The provider's words.
    pub message: T,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether it came inside of an answer, which had begun.
    pub began: bool,
}

/// What a provider's error comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Too many requests or tokens in too short a time.
    RateLimited,
    /// The provider is at its capacity.
    Overloaded,
    /// It failed, and may not fail again.
    Failed,
    /// The account has nothing left.
    QuotaExhausted,
    /// The credential is none, or may not do this.
    Unauthorised,
    /// There is no such model.
    UnknownModel,
    /// The conversation is longer than the model reads.
    ContextTooLong,
    /// The provider will not have this talked of.
    Filtered,
    /// The provider refuses the request as it is.
    Invalid,
}

impl ErrorClass {
    fn sentence(self) -> &'static str {
        match self {
            Self::RateLimited => "the model provider is at its limit",
            Self::Overloaded => "the model provider is overloaded",
            Self::Failed => "the model provider failed",
            Self::QuotaExhausted => "the account at the model provider has no quota or credit left",
            Self::Unauthorised => "the model provider does not accept the credential",
            Self::UnknownModel => "the model provider does not know the model",
            Self::ContextTooLong => "the conversation is longer than the model reads",
            Self::Filtered => "the model provider's content filter refused the request",
            Self::Invalid => "the model provider refused the request",
        }
    }

    fn is_transient(self) -> bool {
        match self {
            Self::RateLimited | Self::Overloaded | Self::Failed => true,
            Self::QuotaExhausted
            | Self::Unauthorised
            | Self::UnknownModel
            | Self::ContextTooLong
            | Self::Filtered
            | Self::Invalid => false,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::RateLimited | Self::Overloaded => "busy",
            Self::Failed => "failed",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Unauthorised => "unauthorised",
            Self::UnknownModel => "unknown_model",
            Self::ContextTooLong => "context_too_long",
            Self::Filtered => "filtered",
            Self::Invalid => "refused",
        }
    }
}

fn status(status: u16) -> String {
    if status == 0 {
        String::new()
    } else {
        format!(" with status {status}")
    }
}

impl ModelError<Tainted> {
    /// What may be told and logged: scrubbed, in one line, and only then cut. The one way out for whatever the wire says.
    pub(super) fn clean(self, scrubber: &Scrubber) -> ModelError {
        let line = |text: Tainted| one_line(&text.text(scrubber));
        match self {
            Self::NotConnected(text) => ModelError::NotConnected(remedy::connecting(line(text))),
            Self::Unreachable(text) => ModelError::Unreachable(line(text)),
            Self::Timeout => ModelError::Timeout,
            Self::Provider(error) => ModelError::Provider(ProviderError {
                message: match error.class {
                    ErrorClass::Invalid => remedy::told(line(error.message), error.status),
                    _ => line(error.message),
                },
                class: error.class,
                status: error.status,
                retry_after: error.retry_after,
                began: error.began,
            }),
            Self::Cut => ModelError::Cut,
            Self::Unreadable(text) => ModelError::Unreadable(line(text)),
            Self::TooLarge(most) => ModelError::TooLarge(most),
            Self::Configuration(text) => ModelError::Configuration(line(text)),
        }
    }
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    let words = text.split(|character: char| character.is_whitespace() || character.is_control());
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if let Some((end, _)) = line.char_indices().nth(MAX_TOLD) {
            line.truncate(end);
            return line + "…";
        }
    }
    if line.is_empty() {
        "it does not say why".clone_into(&mut line);
    }
    line
}

impl ModelError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NotConnected(_) | Self::Unreachable(_) | Self::Timeout | Self::Cut => true,
            Self::Provider(error) => error.class.is_transient(),
            Self::Unreadable(_) | Self::TooLarge(_) | Self::Configuration(_) => false,
        }
    }

    /// Whether the provider may have worked on the request, and may charge for it.
    pub fn may_have_cost(&self) -> bool {
        match self {
            Self::NotConnected(_) | Self::Configuration(_) => false,
            // A status instead of an answer costs nothing; in a stream there may have been the beginning of one.
            Self::Provider(error) => {
                let turned_away = matches!(error.class, ErrorClass::RateLimited | ErrorClass::Overloaded);
                error.began || (error.status == 0 && !turned_away)
            }
            Self::Unreachable(_) | Self::Timeout | Self::Cut | Self::Unreadable(_) | Self::TooLarge(_) => {
                true
            }
        }
    }

    /// How long the provider asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Provider(error) => error.retry_after,
            Self::NotConnected(_)
            | Self::Unreachable(_)
            | Self::Timeout
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
            Self::Provider(error) => error.class.code(),
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

    fn provider(class: ErrorClass, status: u16, began: bool) -> ModelError {
        ModelError::Provider(ProviderError {
            class,
            status,
            message: String::new(),
            retry_after: None,
            began,
        })
    }

    #[rstest]
    #[case::never_sent(ModelError::NotConnected(String::new()), false)]
    #[case::slow_down(provider(ErrorClass::RateLimited, 429, false), false)]
    #[case::slow_down_in_place_of_an_answer(provider(ErrorClass::RateLimited, 0, false), false)]
    #[case::slow_down_inside_of_an_answer(provider(ErrorClass::Overloaded, 0, true), true)]
    #[case::refused(provider(ErrorClass::Invalid, 400, false), false)]
    #[case::failed(provider(ErrorClass::Failed, 503, false), false)]
    #[case::failed_in_place_of_an_answer(provider(ErrorClass::Failed, 0, false), true)]
    #[case::failed_with_a_status_inside_of_an_answer(provider(ErrorClass::Failed, 503, true), true)]
    #[case::broke(ModelError::Unreachable(String::new()), true)]
    #[case::silent(ModelError::Timeout, true)]
    #[case::cut(ModelError::Cut, true)]
    fn only_what_was_certainly_not_worked_on_costs_nothing(#[case] error: ModelError, #[case] may: bool) {
        assert_eq!(error.may_have_cost(), may);
    }

    #[test]
    fn words_are_cut_only_after_they_were_scrubbed() {
        let secret = "sk-0123456789abcdef";
        let scrubber = Scrubber::new([secret.as_bytes()]);
        let pad = "x".repeat(MAX_TOLD - 5);
        let text = Tainted::from(format!("{pad} \n\n{secret}\u{7} y"));
        let told = ModelError::Unreadable(text).clean(&scrubber).to_string();
        assert!(!told.contains("sk-0") && told.ends_with("[sec…"), "{told}");
    }
}
