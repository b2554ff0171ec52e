use super::*;
use crate::providers::error::ErrorClass;
use crate::providers::error::ErrorClass::{
    ContextTooLong, Failed, Filtered, Invalid, Overloaded, QuotaExhausted, RateLimited, Unauthorised,
    UnknownModel,
};
use monstrum_scrub::Scrubber;
use rstest::rstest;

fn told(fault: Fault) -> (ErrorClass, String) {
    let error = fault.into_error();
    (error.class, error.message.text(&Scrubber::default()))
}

/// As an event, or as a whole body with status 200.
fn in_place_of_an_answer(text: &str) -> Option<Fault> {
    let document = Document::of(text);
    let json = document.root().ok()?;
    certain(json).or_else(|| likely(json))
}

#[rstest]
#[case::openai(
    r#"{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":null}}"#,
    RateLimited,
    "slow down"
)]
#[case::openai_quota(r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#, QuotaExhausted, "current quota")]
#[case::anthropic(
    r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
    Overloaded,
    "Overloaded"
)]
#[case::anthropic_key(
    r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
    Unauthorised,
    "x-api-key"
)]
#[case::anthropic_long(r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}"#, ContextTooLong, "too long")]
#[case::anthropic_server(
    r#"{"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#,
    Failed,
    "Internal"
)]
#[case::flat(
    r#"{"error_type":"rate_limit","error_message":"too fast"}"#,
    RateLimited,
    "too fast"
)]
#[case::flat_short(
    r#"{"error_code":17,"error_msg":"Open api daily request limit reached"}"#,
    Failed,
    "daily request limit"
)]
#[case::string(r#"{"error":"Invalid API key"}"#, Unauthorised, "Invalid API key")]
#[case::nested_string(
    r#"{"error":"{\"error\":{\"message\":\"no such model\",\"code\":\"model_not_found\"}}"}"#,
    UnknownModel,
    "no such model"
)]
#[case::message_with_json(
    r#"{"error":{"message":"{\"detail\":\"rate limit exceeded\"}","code":429}}"#,
    RateLimited,
    "rate limit exceeded"
)]
#[case::bare(r#"{"object":"error"}"#, Failed, "")]
#[case::bare_with_words(
    r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","code":404}"#,
    UnknownModel,
    "does not exist"
)]
#[case::detail(
    r#"{"detail":"Not authenticated: api key missing"}"#,
    Unauthorised,
    "Not authenticated"
)]
#[case::fastapi(
    r#"{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"}]}"#,
    Invalid,
    r#"["body","messages"] Field required"#
)]
#[case::message(r#"{"message":"Too Many Requests"}"#, RateLimited, "Too Many Requests")]
#[case::capital_message(
    r#"{"Message":"User is not authorized to access this resource"}"#,
    Unauthorised,
    "not authorized"
)]
#[case::google(
    r#"[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]"#,
    Overloaded,
    "overloaded"
)]
#[case::relayed(r#"{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"{\"error\":\"upstream limit of 5\"}"}}}"#, RateLimited, "upstream limit of 5")]
#[case::with_choices(r#"{"choices":[{"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"upstream broke"}}"#, Failed, "upstream broke")]
#[case::problem(
    r#"{"title":"Unauthorized","status":401,"detail":"token expired"}"#,
    Unauthorised,
    "token expired"
)]
#[case::base_resp(
    r#"{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#,
    QuotaExhausted,
    "insufficient balance"
)]
#[case::gateway(
    r#"{"fault":{"faultstring":"Rate limit quota violation"}}"#,
    RateLimited,
    "quota violation"
)]
#[case::filter(
    r#"{"error":{"code":"content_filter","message":"The response was filtered"}}"#,
    Filtered,
    "filtered"
)]
#[case::string_alone(r#""rate limit exceeded""#, RateLimited, "rate limit exceeded")]
#[case::truthy(r#"{"error":true,"message":"bad request"}"#, Invalid, "bad request")]
#[case::errors(
    r#"{"errors":[{"message":"unsupported parameter"}]}"#,
    Invalid,
    "unsupported parameter"
)]
fn every_shape_of_error_is_told_and_classified(
    #[case] text: &str,
    #[case] class: ErrorClass,
    #[case] words: &str,
) {
    let (found, message) = told(in_place_of_an_answer(text).unwrap());
    assert_eq!(found, class, "{message}");
    assert!(message.contains(words), "{message}");
}

#[rstest]
#[case::chunk(r#"{"choices":[{"delta":{"content":"error"}}],"error":null}"#)]
#[case::empty_error(r#"{"choices":[],"error":{}}"#)]
#[case::empty_text(r#"{"choices":[],"error":"","errors":[]}"#)]
#[case::empty_fields(r#"{"choices":[],"error":{"message":"","type":"","param":"","code":null}}"#)]
#[case::completion(r#"{"object":"chat.completion","choices":[{"message":{"content":"x"}}]}"#)]
#[case::anthropic(r#"{"type":"message_start","message":{"id":"m"}}"#)]
fn an_answer_is_no_error(#[case] text: &str) {
    assert!(certain(Document::of(text).root().unwrap()).is_none());
}

#[rstest]
#[case::words("Internal Server Error", Failed, "Internal Server Error")]
#[case::prefixed("error: rate limit exceeded", RateLimited, "rate limit exceeded")]
#[case::prefixed_json(r#"error: {"message":"Invalid API key"}"#, Unauthorised, "Invalid API key")]
#[case::page(
    "<!DOCTYPE html><html><head><title>Sign in</title></head></html>",
    Invalid,
    "Sign in"
)]
#[case::page_without_title("<html><body><h1>Bad day</h1></body></html>", Invalid, "Bad day")]
fn words_and_pages_in_place_of_an_answer_are_told(
    #[case] text: &str,
    #[case] class: ErrorClass,
    #[case] words: &str,
) {
    let (found, message) = told(Fault::of_text(text));
    assert_eq!(found, class, "{message}");
    assert_eq!(message, words);
}

#[rstest]
#[case::slow_down(429, "{}", RateLimited)]
#[case::no_quota(429, r#"{"error":{"code":"insufficient_quota"}}"#, QuotaExhausted)]
#[case::quota_of_a_minute(
    429,
    r#"{"error":{"message":"You exceeded your current quota","details":[{"retryDelay":"5s"}]}}"#,
    RateLimited
)]
#[case::overloaded(529, "", Overloaded)]
#[case::busy(503, r#"{"error":{"message":"server is busy"}}"#, Overloaded)]
#[case::unavailable(
    503,
    "<html><title>503 Service Temporarily Unavailable</title></html>",
    Failed
)]
#[case::bad_gateway(502, "", Failed)]
#[case::request_timeout(408, "", Failed)]
#[case::conflict(409, "", Failed)]
#[case::bad_request(400, "", Invalid)]
#[case::throttled(
    400,
    r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#,
    RateLimited
)]
#[case::context(
    400,
    r#"{"error":{"message":"This model's maximum context length is 8192 tokens."}}"#,
    ContextTooLong
)]
#[case::context_of_google(
    400,
    r#"[{"error":{"code":400,"message":"The input token count (218152) exceeds the maximum number of tokens allowed (65536).","status":"INVALID_ARGUMENT"}}]"#,
    ContextTooLong
)]
#[case::context_of_xai(
    400,
    r#"{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072 but the request contains 537812 tokens."}"#,
    ContextTooLong
)]
#[case::context_of_moonshot(
    400,
    r#"{"error":{"message":"Invalid request: Your request exceeded model token limit: 262144","type":"invalid_request_error"}}"#,
    ContextTooLong
)]
#[case::context_of_alibaba(
    400,
    r#"{"error":{"message":"Range of input length should be [1, 30720]","type":"invalid_request_error"}}"#,
    ContextTooLong
)]
#[case::context_of_copilot(
    400,
    r#"{"error":{"message":"prompt token count of 87654 exceeds the limit of 64000","code":"model_max_prompt_tokens_exceeded"}}"#,
    ContextTooLong
)]
#[case::context_of_a_relay(
    400,
    r#"{"error":{"message":"You passed 9 input tokens and requested 0 output tokens. However, the model's context length is only 8 tokens, resulting in a maximum input length of 8 tokens.","code":400}}"#,
    ContextTooLong
)]
#[case::context_of_lm_studio(
    400,
    r#"{"error":"Trying to keep the first 8705 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens"}"#,
    ContextTooLong
)]
#[case::larger_than_a_minute(
    413,
    r#"{"error":{"message":"Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 14368","type":"tokens","code":"rate_limit_exceeded"}}"#,
    Invalid
)]
#[case::larger_than_a_minute_as_a_limit(
    429,
    r#"{"error":{"message":"Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 342389.","type":"tokens","code":"rate_limit_exceeded"}}"#,
    Invalid
)]
#[case::context_as_failure(
    500,
    r#"{"error":"the request exceeds the available context size"}"#,
    ContextTooLong
)]
#[case::filter(
    400,
    r#"{"error":{"code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
    Filtered
)]
#[case::payment(402, "", QuotaExhausted)]
#[case::credit(
    400,
    r#"{"error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
    QuotaExhausted
)]
#[case::unauthorised(401, "", Unauthorised)]
#[case::forbidden(403, "", Unauthorised)]
#[case::not_found(404, "404 page not found", Invalid)]
#[case::model_not_found(
    404,
    r#"{"error":{"message":"model 'x' not found, try pulling it first"}}"#,
    UnknownModel
)]
#[case::redirect(302, "", Invalid)]
fn a_status_says_the_sort_and_the_body_which_of_it(
    #[case] status: u16,
    #[case] body: &str,
    #[case] class: ErrorClass,
) {
    assert_eq!(told(Fault::of_status(status, body, None)).0, class);
}

#[rstest]
#[case::seconds(r#"{"error":{"message":"x","retry_after":2.5}}"#, 2500)]
#[case::millis(r#"{"error":{"message":"x","retry_after_ms":250}}"#, 250)]
#[case::delay(
    r#"{"error":{"code":429,"details":[{"@type":"RetryInfo","retryDelay":"7.5s"}]}}"#,
    7500
)]
fn a_wait_that_the_body_asks_for_is_read(#[case] body: &str, #[case] millis: u64) {
    let error = Fault::of_status(429, body, None).into_error();
    assert_eq!(error.retry_after, Some(Duration::from_millis(millis)));
}

proptest::proptest! {
    /// Whatever a provider says, reading it ends, and in an error.
    #[test]
    fn any_text_is_an_error_of_some_sort(text in ".{0,200}", status in 300_u16..600) {
        drop(Fault::of_text(&text));
        drop(Fault::of_status(status, &text, None));
    }
}
