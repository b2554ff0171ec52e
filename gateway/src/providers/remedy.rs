//! What to change where an endpoint refuses a request for its shape. The words are those that endpoints are known to use.

/// How endpoints say that they don't take something.
const REFUSALS: [&str; 16] = [
    "unsupported",
    "not supported",
    "not support",
    "unknown",
    "unrecognized",
    "unexpected",
    "not permitted",
    "not allowed",
    "invalid",
    "extra inputs",
    "must be",
    "missing",
    "deprecated",
    "cannot",
    "can't",
    "not available",
];

/// What is named in the refusal, and what helps.
const REMEDIES: [(&str, &str); 20] = [
    ("max_completion_tokens' instead", LIMIT_NEW),
    (
        "max_completion_tokens",
        "set request.outputLimitField of the ModelProvider to max_tokens, or to None",
    ),
    ("max_tokens", LIMIT_NEW),
    (
        "stream_options",
        "set request.streamUsage of the ModelProvider to false",
    ),
    (
        "thought_signature",
        "set request.reasoningState of the ModelProvider to ThoughtSignature",
    ),
    (
        "reasoning_content",
        "set request.reasoningState of the ModelProvider to ReasoningContent where it is missing, to Omit where it is refused",
    ),
    (
        "reasoning_effort",
        "leave spec.model.reasoningEffort of the Bot out, or choose another",
    ),
    (
        "budget_tokens",
        "set request.thinking of the ModelProvider to Adaptive",
    ),
    ("adaptive", "set request.thinking of the ModelProvider to Budget"),
    (
        "cache_control",
        "set request.promptCache of the ModelProvider to Off",
    ),
    (
        "parallel_tool_calls",
        "leave spec.model.parallelToolCalls of the Bot out",
    ),
    (
        "after role 'tool'",
        "set request.bridgeToolResults of the ModelProvider to true",
    ),
    ("tool_choice", "leave spec.model.toolChoice of the Bot out"),
    ("strict", "set request.strictTools of the ModelProvider to false"),
    ("temperature", "leave spec.model.temperature of the Bot out"),
    ("top_p", "leave spec.model.topP of the Bot out"),
    ("seed", "leave spec.model.seed of the Bot out"),
    ("stop", "leave spec.model.stop of the Bot out"),
    (
        "image",
        "leave images of the ModelProvider's model out: it takes text only",
    ),
    ("stream", "set request.streaming of the ModelProvider to false"),
];

const LIMIT_NEW: &str =
    "set request.outputLimitField of the ModelProvider to max_completion_tokens, or to None";

const LIMIT_OF_MINUTE: &str = "lower maxOutputTokens or contextTokens of the ModelProvider's model, or have the provider raise what the account may \
     use in a minute";

const NO_SUCH_PATH: &str = "check baseUrl of the ModelProvider: the dialect adds /chat/completions or /messages to it, so that it often ends in /v1";

/// What to change for a connection that was not made.
pub(super) fn connecting(message: String) -> String {
    let remedy = if message.contains("CaUsedAsEndEntity") {
        "the server shows the certificate of an authority: give it one that the authority in caCertificate has signed"
    } else if message.contains("UnknownIssuer") {
        "name the authority that signed the server's certificate in caCertificate of the ModelProvider"
    } else {
        return message;
    };
    format!("{message} ({remedy})")
}

/// The endpoint's words, with what to change where that is known.
pub(super) fn told(message: String, status: u16) -> String {
    let by_path = is_no_path(&message, status).then_some(NO_SUCH_PATH);
    match remedy(&message).or(by_path) {
        Some(remedy) => format!("{message} ({remedy})"),
        None => message,
    }
}

/// Whether there is nothing at the path; a longer text with such a status is about something else.
fn is_no_path(message: &str, status: u16) -> bool {
    const WORDS: [&str; 5] = [
        "not found",
        "not allowed",
        "cannot post",
        "invalid url",
        "does not say why",
    ];
    let message = message.to_ascii_lowercase();
    let by_status = matches!(status, 404 | 405) && message.len() < 80;
    by_status && WORDS.iter().any(|words| message.contains(words)) || message.contains("unexpected endpoint")
}

fn remedy(message: &str) -> Option<&'static str> {
    let message = message.to_ascii_lowercase();
    if message.contains("request too large for") {
        return Some(LIMIT_OF_MINUTE);
    }
    if !REFUSALS.iter().any(|refusal| message.contains(refusal)) {
        return None;
    }
    let words = |name: &str| {
        message.match_indices(name).any(|(at, _)| {
            let end = at.saturating_add(name.len());
            let joins = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let before = message.get(..at).unwrap_or_default();
            let after = message.get(end..).unwrap_or_default();
            !before.ends_with(joins) && !after.starts_with(joins)
        })
    };
    let found = REMEDIES.iter().find(|(name, _)| words(name));
    found.map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::openai(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        Some("outputLimitField of the ModelProvider to max_completion_tokens")
    )]
    #[case::vllm(
        "[{'type': 'extra_forbidden', 'loc': ('body', 'max_completion_tokens'), 'msg': 'Extra inputs are not permitted'}]",
        Some("outputLimitField of the ModelProvider to max_tokens")
    )]
    #[case::usage("Unknown parameter: 'stream_options'.", Some("streamUsage"))]
    #[case::mistral("Extra inputs are not permitted: stream_options", Some("streamUsage"))]
    #[case::moonshot(
        "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2",
        Some("ReasoningContent")
    )]
    #[case::deepseek(
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
        Some("ReasoningContent")
    )]
    #[case::groq("'messages.1' : property 'reasoning_content' is unsupported", Some("Omit"))]
    #[case::gemini(
        "Function call is missing a thought_signature in functionCall parts.",
        Some("ThoughtSignature")
    )]
    #[case::temperature(
        "Unsupported value: 'temperature' does not support 0.2 with this model.",
        Some("spec.model.temperature")
    )]
    #[case::thinking(
        "thinking.type: 'enabled' is not supported for this model, budget_tokens cannot be set",
        Some("Adaptive")
    )]
    #[case::images("This model does not support image inputs", Some("images"))]
    #[case::streaming(
        "Your organization must be verified to stream this model: stream is unsupported",
        Some("streaming")
    )]
    #[case::order("Unexpected role 'user' after role 'tool'", Some("bridgeToolResults"))]
    #[case::something_else("The model `x` does not exist", None)]
    #[case::larger_than_a_minute(
        "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 342389. The input or output tokens must be reduced",
        Some("maxOutputTokens")
    )]
    #[case::names_it_without_refusing("max_tokens is large", None)]
    #[case::no_word_of_its_own("unsupported: upstream failed", None)]
    fn a_refusal_for_the_requests_shape_names_the_field_to_change(
        #[case] message: &str,
        #[case] expected: Option<&str>,
    ) {
        let told = told(message.to_owned(), 400);
        match expected {
            Some(words) => assert!(told.starts_with(message) && told.contains(words), "{told}"),
            None => assert_eq!(told, message),
        }
    }

    #[test]
    fn a_path_that_is_not_there_is_one_of_the_base_url() {
        for (status, text) in [
            (404, "404 page not found"),
            (404, "Cannot POST /chat/completions"),
            (405, "Method Not Allowed"),
            (0, "Unexpected endpoint or method. (POST /chat/completions)"),
        ] {
            let told = told(text.to_owned(), status);
            assert!(told.starts_with(text) && told.contains("baseUrl"), "{told}");
        }
        for (status, text) in [
            (400, "Not Found"),
            (404, "No endpoints found that support tool use."),
        ] {
            assert_eq!(told(text.to_owned(), status), text);
        }
    }

    #[rstest]
    #[case("invalid peer certificate: UnknownIssuer", "caCertificate")]
    #[case(
        "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))",
        "has signed"
    )]
    #[case("tcp connect error: Connection refused", "refused")]
    fn an_authority_that_is_not_known_is_named_in_the_provider(
        #[case] message: &str,
        #[case] expected: &str,
    ) {
        let told = connecting(message.to_owned());
        assert!(told.starts_with(message) && told.contains(expected), "{told}");
    }
}
