//! Servers that give back the credential that they were shown, also where an answer is cut.

#[path = "../../../core/scrub/tests/encodings/mod.rs"]
mod encodings;

use std::sync::{Arc, Mutex};

use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use encodings::{ENCODINGS, Encoded};
use monstrum_runner::call::FailureKind;
use monstrum_wire::runner::{CredentialField, Execute};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Ended, SECRET, http, http_call, with_token};
use crate::upstream::{Seen, Upstream, answer};

const JSON: (&str, &str) = ("content-type", "application/json");
const TEXT: (&str, &str) = ("content-type", "text/plain");

async fn ask(
    respond: impl Fn(&Seen) -> Response + Send + Sync + 'static,
    change: impl Fn(&mut Execute),
) -> Ended {
    let upstream = Upstream::answering(respond).await;
    let mut call = with_token(http_call(
        upstream.config(),
        json!({"method": "GET", "path": "/"}),
        json!({}),
    ));
    change(&mut call);
    http(call).await
}

fn told(ended: &Ended) -> String {
    let message = ended
        .outcome
        .as_ref()
        .err()
        .map(|failure| failure.message.clone());
    format!("{}{}", ended.text, message.unwrap_or_default())
}

/// Five characters of the secret in a row.
fn shows(text: &str, secret: &str) -> bool {
    secret
        .as_bytes()
        .windows(5)
        .any(|part| text.contains(std::str::from_utf8(part).unwrap()))
}

fn shown(seen: &Seen) -> String {
    seen.headers["authorization"].to_str().unwrap().to_owned()
}

#[rstest]
#[case::all_but_one(1)]
#[case::half(9)]
#[case::all_but_four(14)]
#[tokio::test]
async fn a_secret_that_the_bound_of_a_result_cuts_is_not_shown(#[case] missing: usize) {
    let padding = 1000 + missing - "Bearer ".len() - SECRET.len();
    let echo = move |seen: &Seen| answer(200, &[TEXT], "x".repeat(padding) + &shown(seen));
    let ended = ask(echo, |call| call.max_result_bytes = 1000).await;
    assert!(ended.truncated());
    assert!(!shows(&ended.text, SECRET), "{}", ended.text);
}

#[rstest]
#[case::all_but_one(1)]
#[case::half(9)]
#[tokio::test]
async fn a_secret_that_the_bound_of_an_error_cuts_is_not_shown(#[case] missing: usize) {
    for form in [TEXT, JSON] {
        let padding = 300 + missing - "Bearer ".len() - SECRET.len();
        let echo = move |seen: &Seen| {
            let words = "x".repeat(padding) + &shown(seen) + " and more";
            let body = if form == JSON {
                json!({ "message": words }).to_string()
            } else {
                words
            };
            answer(400, &[form], body)
        };
        let ended = ask(echo, |_| {}).await;
        assert!(!shows(&told(&ended), SECRET), "{}", told(&ended));
    }
}

#[tokio::test]
async fn a_secret_that_the_bound_of_an_errors_body_cuts_is_not_shown() {
    let echo = |seen: &Seen| {
        let padding = 65_536 + 1 - "Bearer ".len() - SECRET.len();
        answer(500, &[TEXT], " ".repeat(padding) + &shown(seen))
    };
    let ended = ask(echo, |_| {}).await;
    assert!(!shows(&told(&ended), SECRET), "{}", told(&ended));
}

#[tokio::test]
async fn a_secret_that_the_bound_of_an_extract_cuts_is_not_shown() {
    for missing in [1, 9] {
        let padding = 1000 + missing - r#"{"a":"Bearer "#.len() - SECRET.len();
        let echo = move |seen: &Seen| {
            // Escaped, so that it is whole only after the answer was read.
            let escaped: Vec<_> = shown(seen)
                .encode_utf16()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect();
            let escaped = escaped.concat();
            answer(
                200,
                &[JSON],
                format!(r#"{{"a": "{}{escaped}"}}"#, "x".repeat(padding)),
            )
        };
        let ended = ask(echo, |call| {
            call.execution_json =
                json!({"method": "GET", "path": "/", "response": {"fields": {"a": "$.a"}}}).to_string();
            call.max_result_bytes = 1000;
        })
        .await;
        assert!(ended.success().starts_with(r#"{"a":"xxx"#), "{}", ended.text);
        assert!(!shows(&ended.text, SECRET), "{}", ended.text);
    }
}

#[tokio::test]
async fn what_is_sent_for_a_user_and_a_password_is_not_shown() {
    for (user, password) in [("a-user", SECRET), ("a-user", "pw1")] {
        let basic = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let echo = |seen: &Seen| answer(200, &[TEXT], format!("you sent {}", shown(seen)));
        let ended = ask(echo, |call| {
            call.presentation_json =
                json!({"basic": {"usernameField": "user", "passwordField": "password"}}).to_string();
            let field = |name: &str, value: &str| CredentialField {
                name: name.to_owned(),
                value: value.into(),
            };
            call.credential = vec![field("user", user), field("password", password)];
        })
        .await;
        assert!(ended.success().starts_with("you sent Basic "), "{}", ended.text);
        assert!(!shows(&ended.text, &basic), "{}", ended.text);
    }
}

#[rstest]
#[case::type_of_the_answer(200, "content-type", "application/s3cr3t-t0k3n-v4lue")]
#[case::redirect(302, "location", "https://s3cr3t-t0k3n-v4lue.example/")]
#[tokio::test]
async fn a_secret_in_a_header_of_the_answer_is_not_shown(
    #[case] status: u16,
    #[case] name: &'static str,
    #[case] value: &'static str,
) {
    let echo = move |_: &Seen| answer(status, &[(name, value)], "x");
    let ended = ask(echo, |call| {
        let mut config: Value = serde_json::from_str(&call.config_json).unwrap();
        config["followRedirects"] = json!(true);
        call.config_json = config.to_string();
    })
    .await;
    assert!(told(&ended).contains("[secret]"), "{}", told(&ended));
    assert!(!shows(&told(&ended), SECRET), "{}", told(&ended));
}

#[rstest]
#[case::in_a_host("https://T0kenOfMixedCase.example/")]
#[case::in_a_path("/T0kenOfMixedCase")]
#[case::encoded("/%540kenOfMixedCase")]
#[case::in_a_query("/?place=T0kenOfMixedCase")]
#[tokio::test]
async fn a_redirect_to_a_place_that_holds_the_credential_is_refused(#[case] place: &'static str) {
    let ended = ask(
        move |_| crate::upstream::redirect(place),
        |call| {
            let mut config: Value = serde_json::from_str(&call.config_json).unwrap();
            config["followRedirects"] = json!(true);
            call.config_json = config.to_string();
            call.credential = vec![CredentialField {
                name: "token".to_owned(),
                value: b"T0kenOfMixedCase".to_vec(),
            }];
        },
    )
    .await;
    assert_eq!(ended.failure().kind, FailureKind::Refused);
    let message = &ended.failure().message;
    assert!(message.contains("[secret]"), "{message}");
    assert!(!told(&ended).to_lowercase().contains("t0ken"), "{}", told(&ended));
}

#[tokio::test]
async fn a_secret_in_the_query_of_a_request_that_fails_is_not_shown() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = json!({
        "baseUrl": format!("http://{}", listener.local_addr().unwrap()), "allowedAddresses": ["127.0.0.1"],
    });
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let call = with_token(http_call(
        config,
        json!({"method": "GET", "path": "/"}),
        json!({}),
    ));
    let ended = http(Execute {
        presentation_json: json!({"query": {"name": "key", "field": "token"}}).to_string(),
        ..call
    })
    .await;
    assert!(!shows(&told(&ended), SECRET), "{}", told(&ended));
}

/// One way for an answer to come to the model.
#[derive(Debug, Clone, Copy)]
enum Way {
    Text,
    Error,
    Extract,
    JsonError,
}

const WAYS: [Way; 4] = [Way::Text, Way::Error, Way::Extract, Way::JsonError];

impl Way {
    fn respond(self, text: &[u8]) -> Response {
        let json = || json!({ "message": String::from_utf8_lossy(text) }).to_string();
        match self {
            Self::Text => answer(200, &[TEXT], text.to_vec()),
            Self::Error => answer(400, &[TEXT], text.to_vec()),
            Self::Extract => answer(200, &[JSON], json()),
            Self::JsonError => answer(400, &[JSON], json()),
        }
    }

    fn execution(self) -> Value {
        match self {
            Self::Extract => {
                json!({"method": "GET", "path": "/", "response": {"fields": {"m": "$.message"}}})
            }
            Self::Text | Self::Error | Self::JsonError => json!({"method": "GET", "path": "/"}),
        }
    }
}

/// The law of the scrubber, through the whole way that an answer takes.
#[test]
fn no_five_characters_of_a_secret_come_through() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let body = Arc::new(Mutex::new((Way::Text, Vec::new())));
    let answered = Arc::clone(&body);
    let upstream = runtime.block_on(Upstream::answering(move |_| {
        let (way, text) = answered.lock().unwrap().clone();
        way.respond(&text)
    }));
    let cases = (
        prop_oneof!["[A-Za-z0-9_/+=.~-]{8,80}", "[!-~]{8,60}"],
        0..ENCODINGS.len(),
        prop::collection::vec(any::<u8>(), 1..40),
        ("[ -~]{0,30}", 0_usize..310, "[ -~]{0,200}"),
        0..WAYS.len(),
        0_usize..700,
    );
    let mut runner = TestRunner::new(Config::with_cases(300));
    let outcome = runner.run(&cases, |(secret, encoding, choices, around, way, bound)| {
        let (before, padding, after) = around;
        let before = before + &".".repeat(padding);
        let encoded = Encoded::new(ENCODINGS[encoding], &secret, (&before, &after), &choices);
        *body.lock().unwrap() = (WAYS[way], encoded.text().to_vec());
        let mut call = with_token(http_call(upstream.config(), WAYS[way].execution(), json!({})));
        call.credential = vec![CredentialField {
            name: "token".to_owned(),
            value: secret.into_bytes(),
        }];
        call.max_result_bytes = u32::try_from(bound + 1).unwrap();
        let ended = runtime.block_on(http(call));
        let told = told(&ended);
        prop_assert_eq!(encoded.leak(told.as_bytes()), None, "{}", told);
        Ok(())
    });
    outcome.unwrap();
}
