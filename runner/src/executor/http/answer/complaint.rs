//! An upstream's error, told in one sentence.

use std::time::SystemTime;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::super::effect::header;
use super::super::rate;
use super::body;
use super::media::Media;
use crate::call::Failure;

/// How much of an error's body is looked at.
const READ_BYTES: usize = 64 * 1024;
/// How much of its own words is told.
const TOLD_CHARACTERS: usize = 300;

/// Where APIs put their words.
const POINTERS: [&str; 8] = [
    "/error/message",
    "/message",
    "/error_description",
    "/error",
    "/detail",
    "/errors/0/message",
    "/errors/0",
    "/title",
];

/// Says who answered what, and in the server's own words why.
pub(super) async fn tell(response: Response) -> Failure {
    let status = response.status();
    let limited = rate::is_limited(status, response.headers());
    let retry_after = rate::retry_after(response.headers(), SystemTime::now())
        .filter(|_| limited || status.is_server_error());
    let host = response.url().host_str().unwrap_or_default().to_owned();
    let textual = Media::of(header(response.headers(), CONTENT_TYPE.as_str())) == Media::Text;
    let body = match body::read(response, READ_BYTES).await {
        Ok(body) if textual => body.bytes,
        Ok(_) | Err(_) => Vec::new(),
    };
    let message = match words(&body) {
        Some(words) => format!("{host} answered {status}: {words}"),
        None => format!("{host} answered {status}"),
    };
    Failure::upstream(message).with_retry_after(retry_after, limited)
}

fn words(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let parsed = serde_json::from_slice::<Value>(body).ok();
    let stated = parsed.as_ref().and_then(|value| {
        POINTERS
            .iter()
            .find_map(|pointer| value.pointer(pointer).and_then(Value::as_str))
    });
    let told = tidy(stated.unwrap_or(&text));
    (!told.is_empty()).then_some(told)
}

/// One line, bounded.
fn tidy(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect();
    let line = words.join(" ");
    let mut told: String = line.chars().take(TOLD_CHARACTERS).collect();
    if told.len() < line.len() {
        told.push('…');
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::github(r#"{"message":"Not Found","documentation_url":"x"}"#, Some("Not Found"))]
    #[case::nested(r#"{"error":{"message":"bad key","code":1}}"#, Some("bad key"))]
    #[case::oauth(r#"{"error":"invalid_grant","error_description":"expired"}"#, Some("expired"))]
    #[case::problem(r#"{"title":"Conflict","status":409}"#, Some("Conflict"))]
    #[case::list(r#"{"errors":[{"message":"no"}]}"#, Some("no"))]
    #[case::plain("nope\n\n\tnot here", Some("nope not here"))]
    #[case::nothing("", None)]
    #[case::controls("\u{1b}[31mred\u{1b}[0m", Some("[31mred [0m"))]
    fn an_apis_own_words(#[case] body: &str, #[case] told: Option<&str>) {
        assert_eq!(words(body.as_bytes()).as_deref(), told);
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(
            words("ä".repeat(1000).as_bytes()).unwrap().chars().count(),
            TOLD_CHARACTERS + 1
        );
    }
}
