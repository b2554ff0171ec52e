//! An upstream's error, told in one sentence.

use std::time::SystemTime;

use monstrum_scrub::{Scrubber, Tainted};
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::super::effect::header;
use super::super::rate;
use super::body;
use super::media::{self, Media};
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
pub(super) async fn tell(response: Response, scrubber: &Scrubber) -> Failure {
    let status = response.status();
    let limited = rate::is_limited(status, response.headers());
    let retry_after = rate::retry_after(response.headers(), SystemTime::now())
        .filter(|_| limited || status.is_server_error());
    let host = response.url().host_str().unwrap_or_default().to_owned();
    let content_type = header(response.headers(), CONTENT_TYPE.as_str()).map(str::to_owned);
    let textual = Media::of(content_type.as_deref()) == Media::Text;
    let charset = content_type.as_deref().and_then(media::charset);
    let body = match body::read(response, READ_BYTES, scrubber).await {
        Ok(body) if textual => body,
        Ok(_) | Err(_) => Tainted::default(),
    };
    let message = match words(&body, charset.as_deref(), scrubber) {
        Some(words) => format!("{host} answered {status}: {words}"),
        None => format!("{host} answered {status}"),
    };
    Failure::upstream(message).with_retry_after(retry_after, limited)
}

fn words(body: &Tainted, charset: Option<&str>, scrubber: &Scrubber) -> Option<String> {
    let parsed = body.json(charset, scrubber).ok();
    let stated = parsed.as_ref().and_then(|value| {
        POINTERS
            .iter()
            .find_map(|pointer| value.pointer(pointer).and_then(Value::as_str))
    });
    let told = match stated {
        Some(stated) => tidy(stated),
        None => tidy(&body.decoded(charset, scrubber)),
    };
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
        let words = words(&Tainted::from(body), None, &Scrubber::default());
        assert_eq!(words.as_deref(), told);
    }

    #[test]
    fn long_words_are_cut() {
        let long = Tainted::from("ä".repeat(1000));
        let words = words(&long, None, &Scrubber::default()).unwrap();
        assert_eq!(words.chars().count(), TOLD_CHARACTERS + 1);
    }
}
