//! The address of a model's API, to which the gateway adds the path of a request.

use url::Url;

/// Paths of requests, as documentation and examples of providers show them: whoever copies one of these has no base.
const REQUESTS: [&[&str]; 5] = [
    &["chat", "completions"],
    &["completions"],
    &["messages"],
    &["messages", "count_tokens"],
    &["responses"],
];

/// What is wrong with the end of an address that is otherwise one; reads after the field's name. One slash at the end is as good as none.
pub(super) fn path_fault(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let mut segments: Vec<&str> = url.path_segments()?.collect();
    segments.pop_if(|last| last.is_empty());
    let slashes = segments.iter().rev().take_while(|last| last.is_empty()).count();
    if slashes > 0 {
        segments.truncate(segments.len().saturating_sub(slashes));
        let base = with_path(&url, &segments);
        return Some(format!("ends in more than one slash: write {base}"));
    }
    let request = REQUESTS.iter().find(|request| ends_in(&segments, request))?;
    segments.truncate(segments.len().saturating_sub(request.len()));
    let (path, base) = (request.join("/"), with_path(&url, &segments));
    Some(format!(
        "ends in /{path}, the path of a request, and the dialect adds its own (/chat/completions or /messages): write {base}"
    ))
}

fn ends_in(segments: &[&str], request: &[&str]) -> bool {
    let start = segments.len().checked_sub(request.len());
    start.and_then(|start| segments.get(start..)).is_some_and(|end| {
        end.iter()
            .zip(request)
            .all(|(end, request)| end.eq_ignore_ascii_case(request))
    })
}

fn with_path(url: &Url, segments: &[&str]) -> String {
    let mut base = url.clone();
    base.set_path(&segments.join("/"));
    base.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://api.openai.com/v1")]
    #[case("https://api.openai.com/v1/")]
    #[case("https://api.deepseek.com")]
    #[case("https://example.services.ai.azure.com/models")]
    #[case("https://gateway.example.com/completions/v1")]
    #[case("https://gateway.example.com/my-messages")]
    #[case("https://completions")]
    #[case("https://proxy.example.com/https://api.openai.com/v1")]
    fn a_base_may_end_in_anything_else(#[case] text: &str) {
        assert_eq!(path_fault(text), None);
    }

    #[rstest]
    #[case(
        "https://api.openai.com/v1/chat/completions",
        "write https://api.openai.com/v1"
    )]
    #[case(
        "https://api.openai.com/v1/chat/completions/",
        "write https://api.openai.com/v1"
    )]
    #[case(
        "https://api.openai.com/v1/Chat/Completions",
        "write https://api.openai.com/v1"
    )]
    #[case("https://api.openai.com/v1/completions", "write https://api.openai.com/v1")]
    #[case("https://api.openai.com/v1/responses", "write https://api.openai.com/v1")]
    #[case("https://api.anthropic.com/v1/messages", "write https://api.anthropic.com/v1")]
    #[case(
        "https://api.anthropic.com/v1/messages/count_tokens",
        "write https://api.anthropic.com/v1"
    )]
    #[case(
        "http://ollama.models.svc:11434/chat/completions",
        "write http://ollama.models.svc:11434"
    )]
    #[case(
        "https://api.openai.com/v1//",
        "more than one slash: write https://api.openai.com/v1"
    )]
    #[case(
        "https://api.openai.com///",
        "more than one slash: write https://api.openai.com"
    )]
    fn the_path_of_a_request_is_no_base(#[case] text: &str, #[case] part: &str) {
        let fault = path_fault(text).unwrap();
        assert!(fault.ends_with(part), "{fault}");
    }

    #[test]
    fn what_is_advised_is_taken() {
        for request in REQUESTS {
            let text = format!("https://models.example.com/v1/{}", request.join("/"));
            let fault = path_fault(&text).unwrap();
            let (_, advised) = fault.rsplit_once("write ").unwrap();
            assert_eq!(
                (advised, path_fault(advised)),
                ("https://models.example.com/v1", None)
            );
        }
    }
}
