//! What an error comes to, by its status, its kind and its words. What the account, the key or the request is guilty of is not asked again.

use super::words::Words;
use crate::providers::error::ErrorClass;

/// Words that leave no doubt, whatever the status says.
const CERTAIN: [(ErrorClass, &[&str]); 3] = [
    // It is larger than what the account may use in a minute: the same again is refused again.
    (ErrorClass::Invalid, &["request too large for"]),
    (
        ErrorClass::ContextTooLong,
        &[
            "context_length_exceeded",
            "maximum context length",
            "context length exceeded",
            "context window",
            "context size",
            "prompt is too long",
            "input is too long",
            "input length and `max_tokens` exceed",
            "prompt too long",
            "too many tokens in",
            "exceeds the maximum number of tokens",
            "maximum prompt length",
            "maximum input length",
            "context length is only",
            "context length of only",
            "prompt_tokens_exceeded",
            "prompt token count",
            "exceeded model token limit",
            "range of input length",
            "prompt exceeds max length",
        ],
    ),
    (
        ErrorClass::Filtered,
        &[
            "content_filter",
            "content_policy_violation",
            "content management policy",
            "content policy",
            "responsibleaipolicyviolation",
            "data_inspection_failed",
            "flagged by moderation",
        ],
    ),
];

/// Words of kinds and codes.
const KINDS: [(ErrorClass, &[&str]); 7] = [
    (
        ErrorClass::QuotaExhausted,
        &[
            "insufficient_quota",
            "insufficient_balance",
            "billing",
            "payment_required",
            "quota_exceeded",
        ],
    ),
    (
        ErrorClass::RateLimited,
        &[
            "rate_limit",
            "ratelimit",
            "too_many_requests",
            "toomanyrequests",
            "throttl",
            "resource_exhausted",
        ],
    ),
    (ErrorClass::Overloaded, &["overloaded", "capacity", "unavailable"]),
    (
        ErrorClass::UnknownModel,
        &["model_not_found", "modelnotfound", "unknown_model"],
    ),
    (
        ErrorClass::Unauthorised,
        &[
            "authentication",
            "unauthor",
            "unauthenticated",
            "permission",
            "forbidden",
            "api_key",
            "access_denied",
            "accessdenied",
        ],
    ),
    (
        ErrorClass::Invalid,
        &[
            "invalid",
            "not_found",
            "too_large",
            "bad_request",
            "badrequest",
            "unsupported",
            "validation",
            "missing",
            "value_error",
        ],
    ),
    (
        ErrorClass::Failed,
        &[
            "server_error",
            "api_error",
            "internal",
            "timeout",
            "service_error",
        ],
    ),
];

/// Words of messages, where there is neither a status nor a kind that says more.
const TEXTS: [(ErrorClass, &[&str]); 6] = [
    (
        ErrorClass::QuotaExhausted,
        &[
            "exceeded your current quota",
            "insufficient balance",
            "insufficient credit",
            "credit balance is too low",
            "insufficient quota",
            "payment required",
        ],
    ),
    (
        ErrorClass::Unauthorised,
        &[
            "api key",
            "api_key",
            "unauthorized",
            "authentication",
            "x-api-key",
            "access token",
            "permission denied",
            "forbidden",
            "not authorized",
        ],
    ),
    (
        ErrorClass::RateLimited,
        &[
            "rate limit",
            "rate_limit",
            "ratelimit",
            "too many requests",
            "throttl",
            "slow down",
        ],
    ),
    (
        ErrorClass::Overloaded,
        &[
            "overloaded",
            "at capacity",
            "over capacity",
            "server is busy",
            "try again later",
        ],
    ),
    (
        ErrorClass::UnknownModel,
        &[
            "model not found",
            "unknown model",
            "no such model",
            "does not exist",
            "invalid model",
        ],
    ),
    (
        ErrorClass::Invalid,
        &[
            "invalid request",
            "bad request",
            "not supported",
            "unsupported",
            "is required",
            "field required",
            "unexpected endpoint",
        ],
    ),
];

/// What it comes to.
pub(super) fn of(words: &Words, status: u16) -> ErrorClass {
    let text = words.text();
    let both = format!("{} {text}", words.kind);
    if let Some(class) = find(&CERTAIN, &both) {
        return class;
    }
    let kind = find(&KINDS, &words.kind);
    let told = find(&TEXTS, &text);
    match (status, words.code) {
        (0, _) if words.is_page => ErrorClass::Invalid,
        (0, code) => {
            let by_code = code.map(|code| of_status(code, kind, told, &text, words));
            let by_kind = kind.map(|kind| specific(kind, told));
            by_code.or(by_kind).or(told).unwrap_or(ErrorClass::Failed)
        }
        (status, _) => of_status(status, kind, told, &text, words),
    }
}

/// The status says the sort, kind and words say which of it.
fn of_status(
    status: u16,
    kind: Option<ErrorClass>,
    told: Option<ErrorClass>,
    text: &str,
    words: &Words,
) -> ErrorClass {
    let quota = ErrorClass::QuotaExhausted;
    match status {
        // Some providers call every limit a quota, and say when to come again where it is one of time.
        429 if words.retry_after.is_none() && (kind == Some(quota) || told == Some(quota)) => quota,
        429 => ErrorClass::RateLimited,
        529 => ErrorClass::Overloaded,
        503 if kind == Some(ErrorClass::Overloaded) || told == Some(ErrorClass::Overloaded) => {
            ErrorClass::Overloaded
        }
        408 | 409 | 425 | 500..=599 => ErrorClass::Failed,
        402 => quota,
        401 => ErrorClass::Unauthorised,
        404 if text.contains("model") => ErrorClass::UnknownModel,
        _ => match (kind, told) {
            (Some(ErrorClass::RateLimited), _) => ErrorClass::RateLimited,
            (Some(ErrorClass::QuotaExhausted), _) | (_, Some(ErrorClass::QuotaExhausted)) => quota,
            (Some(ErrorClass::UnknownModel), _) | (_, Some(ErrorClass::UnknownModel)) => {
                ErrorClass::UnknownModel
            }
            (Some(ErrorClass::Unauthorised), _) | (_, Some(ErrorClass::Unauthorised)) => {
                ErrorClass::Unauthorised
            }
            _ if status == 403 => ErrorClass::Unauthorised,
            _ => ErrorClass::Invalid,
        },
    }
}

/// A general kind is made precise by the words.
fn specific(kind: ErrorClass, told: Option<ErrorClass>) -> ErrorClass {
    match (kind, told) {
        (ErrorClass::Invalid, Some(told))
            if told != ErrorClass::RateLimited && told != ErrorClass::Overloaded =>
        {
            told
        }
        (kind, _) => kind,
    }
}

fn find(table: &[(ErrorClass, &[&str])], text: &str) -> Option<ErrorClass> {
    let fits = |words: &[&str]| words.iter().any(|word| text.contains(word));
    table
        .iter()
        .find(|(_, words)| fits(words))
        .map(|(class, _)| *class)
}
