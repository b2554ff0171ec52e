//! Requests as they reach a server.

use monstrum_runner::call::FailureKind;
use monstrum_wire::runner::{CredentialField, Execute};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Ended, SECRET, http, http_call, with_token};
use crate::upstream::Upstream;

async fn send(upstream: &Upstream, execution: Value, arguments: Value) -> Ended {
    http(http_call(upstream.config(), execution, arguments)).await
}

#[tokio::test]
async fn a_permitted_call_is_one_request_with_the_credential() {
    let upstream = Upstream::start().await;
    let call = with_token(http_call(
        upstream.config(),
        json!({
            "method": "POST", "path": "/repos/{/owner}/issues", "query": {"dry": "{/dry}"},
            "headers": {"accept": "application/json"}, "body": {"title": "{/title}"},
        }),
        json!({ "owner": "acme", "title": "hello", "dry": true }),
    ));
    let ended = http(call).await;
    assert_eq!(ended.success(), "{\"target\":\"/repos/acme/issues?dry=true\"}");
    assert_eq!(ended.fact("status"), 200);
    assert_eq!(ended.fact("address"), upstream.address.to_string());
    assert_eq!(ended.fact("bytes"), ended.text.len());
    let [seen] = &upstream.seen()[..] else {
        panic!("{:?}", upstream.seen())
    };
    assert_eq!(
        (seen.method.as_str(), seen.body.as_str()),
        ("POST", "{\"title\":\"hello\"}")
    );
    assert_eq!(seen.headers["authorization"], format!("Bearer {SECRET}"));
    assert_eq!(seen.headers["host"], upstream.address.to_string());
    assert!(
        seen.headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("monstrum/")
    );
    assert!(!seen.headers.contains_key("referer"));
}

#[rstest]
#[case::header(json!({"header": {"name": "x-key", "field": "token"}}), "x-key", SECRET)]
#[case::basic(
    json!({"basic": {"usernameField": "user", "passwordField": "token"}}),
    "authorization",
    "Basic bWU6czNjcjN0LXQwazNuLXY0bHVl"
)]
#[tokio::test]
async fn credentials_in_other_headers(
    #[case] presentation: Value,
    #[case] header: &str,
    #[case] value: &str,
) {
    let upstream = Upstream::start().await;
    let mut call = with_token(http_call(
        upstream.config(),
        json!({"method": "GET", "path": "/"}),
        json!({}),
    ));
    call.presentation_json = presentation.to_string();
    call.credential.push(CredentialField {
        name: "user".to_owned(),
        value: b"me".to_vec(),
    });
    http(call).await.success();
    assert_eq!(upstream.seen()[0].headers[header], value);
}

#[tokio::test]
async fn a_credential_in_the_query_is_in_no_message() {
    let upstream = Upstream::start().await;
    let mut call = with_token(http_call(
        upstream.config(),
        json!({"method": "GET", "path": "/"}),
        json!({}),
    ));
    call.presentation_json = json!({"query": {"name": "api_key", "field": "token"}}).to_string();
    call.credential_hosts = vec!["http://127.0.0.1:*".to_owned()];
    http(call.clone()).await.success();
    assert_eq!(upstream.seen()[0].target, format!("/?api_key={SECRET}"));
    // Nothing listens there.
    call.config_json =
        json!({ "baseUrl": "http://127.0.0.1:1", "allowedAddresses": ["127.0.0.1"] }).to_string();
    let ended = http(call).await;
    assert_eq!(ended.failure().kind, FailureKind::Unreachable);
    assert!(!format!("{ended:?}").contains(SECRET), "{ended:?}");
}

#[tokio::test]
async fn an_echoed_credential_is_in_no_failure() {
    let upstream = Upstream::answering(|seen| {
        let token = seen.headers["authorization"].to_str().unwrap();
        crate::upstream::answer(
            401,
            &[("content-type", "text/plain")],
            format!("bad token {token}"),
        )
    })
    .await;
    let call = with_token(http_call(
        upstream.config(),
        json!({"method": "GET", "path": "/"}),
        json!({}),
    ));
    let ended = http(call).await;
    assert_eq!(
        ended.failure().message,
        "127.0.0.1 answered 401 Unauthorized: bad token Bearer [secret]"
    );
}

/// What can be wrong is found before anything is sent.
#[rstest]
#[case::missing_field(json!({"bearer": {"field": "other"}}), json!({"method": "GET", "path": "/"}))]
#[case::unknown_presentation(json!({"digest": {"field": "token"}}), json!({"method": "GET", "path": "/"}))]
#[case::two_presentations(
    json!({"bearer": {"field": "token"}, "query": {"name": "a", "field": "token"}}),
    json!({"method": "GET", "path": "/"})
)]
#[case::unknown_key(json!({"bearer": {"field": "token"}}), json!({"method": "GET", "path": "/", "proxy": "x"}))]
#[case::wrong_path(json!({"bearer": {"field": "token"}}), json!({"method": "GET", "path": "/../x"}))]
#[case::wrong_extraction(
    json!({"bearer": {"field": "token"}}),
    json!({"method": "GET", "path": "/", "response": {"items": "not a path"}})
)]
#[case::missing_argument(json!({"bearer": {"field": "token"}}), json!({"method": "GET", "path": "/{/gone}"}))]
#[tokio::test]
async fn nothing_is_sent_for_a_call_that_is_wrong(#[case] presentation: Value, #[case] execution: Value) {
    let upstream = Upstream::start().await;
    let call = with_token(http_call(upstream.config(), execution, json!({})));
    let ended = http(Execute {
        presentation_json: presentation.to_string(),
        ..call
    })
    .await;
    assert_eq!(ended.failure().kind, FailureKind::Invalid, "{ended:?}");
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn an_argument_never_becomes_another_header_parameter_or_path() {
    let upstream = Upstream::start().await;
    let execution = json!({
        "method": "GET", "path": "/users/{/v}/repos", "query": {"q": "{/v}"},
    });
    for value in [
        "../../admin",
        "x/../../admin",
        "x?admin=1",
        "x#",
        "x%2f..%2fadmin",
        "x&y=z",
        "//evil.example",
    ] {
        send(&upstream, execution.clone(), json!({ "v": value }))
            .await
            .success();
    }
    for seen in upstream.seen() {
        let (path, query) = seen.target.split_once('?').unwrap();
        assert_eq!(path.split('/').count(), 4, "{path}");
        assert!(path.starts_with("/users/") && path.ends_with("/repos"), "{path}");
        assert!(query.starts_with("q=") && !query.contains('&'), "{query}");
    }
    let header = json!({"method": "GET", "path": "/", "headers": {"x-v": "{/v}"}});
    for value in ["a\r\nx-admin: 1", "a\nx-admin: 1", "a\rb"] {
        let ended = send(&upstream, header.clone(), json!({ "v": value })).await;
        assert_eq!(ended.failure().kind, FailureKind::Refused);
    }
    assert!(
        upstream
            .seen()
            .iter()
            .all(|seen| !seen.headers.contains_key("x-admin"))
    );
}

#[tokio::test]
async fn another_executors_call_is_none_of_ours() {
    let call = http_call(json!({}), json!({}), json!({}));
    let ended = http(Execute {
        executor: "ssh".to_owned(),
        ..call
    })
    .await;
    assert_eq!(ended.failure().message, "this runner has no executor \"ssh\"");
}
