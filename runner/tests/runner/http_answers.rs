//! Answers, also hostile ones.

use std::convert::Infallible;
use std::process::Command;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use futures::stream;
use monstrum_runner::call::FailureKind;
use monstrum_wire::runner::Execute;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Ended, http, http_call};
use crate::upstream::{Upstream, answer};

const JSON: (&str, &str) = ("content-type", "application/json");
const TEXT: (&str, &str) = ("content-type", "text/plain");

type Headers = &'static [(&'static str, &'static str)];

async fn ask(respond: impl Fn() -> Response + Send + Sync + 'static, change: impl Fn(&mut Execute)) -> Ended {
    let upstream = Upstream::answering(move |_| respond()).await;
    let mut call = http_call(
        upstream.config(),
        json!({"method": "GET", "path": "/"}),
        json!({}),
    );
    change(&mut call);
    http(call).await
}

fn extracting(extraction: Value) -> impl Fn(&mut Execute) {
    move |call| {
        call.execution_json = json!({"method": "GET", "path": "/", "response": extraction}).to_string();
    }
}

fn endless() -> Body {
    Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>("x".repeat(8192))))
}

#[tokio::test]
async fn an_extract_of_json() {
    let list = || {
        answer(
            200,
            &[JSON],
            json!([{"n": 1, "secret": "x"}, {"n": 2}]).to_string(),
        )
    };
    let ended = ask(
        list,
        extracting(json!({"items": "$[*]", "fields": {"number": "$.n"}})),
    )
    .await;
    assert_eq!(ended.success(), "[{\"number\":1},{\"number\":2}]");
    assert!(!ended.truncated());
}

#[tokio::test]
async fn what_is_not_json_can_not_be_extracted() {
    let page = || answer(200, &[("content-type", "text/html")], "<html>login</html>");
    let ended = ask(page, extracting(json!({"items": "$[*]"}))).await;
    assert_eq!(ended.failure().kind, FailureKind::Upstream);
    assert!(ended.failure().message.contains("not the JSON"), "{ended:?}");
}

#[tokio::test]
async fn deep_json_is_an_error_and_no_crash() {
    let deep = || answer(200, &[JSON], "[".repeat(1_000_000));
    let ended = ask(deep, extracting(json!({"items": "$[*]"}))).await;
    assert_eq!(ended.failure().kind, FailureKind::Upstream);
}

#[tokio::test]
async fn an_endless_body_is_cut() {
    let ended = ask(
        || answer(200, &[TEXT], endless()),
        |call| call.max_result_bytes = 1000,
    )
    .await;
    assert_eq!(ended.success().len(), 1000);
    assert!(ended.truncated());
    let ended = ask(
        || answer(200, &[JSON], endless()),
        extracting(json!({"items": "$[*]"})),
    )
    .await;
    assert!(
        ended.failure().message.contains("larger than 4194304 bytes"),
        "{ended:?}"
    );
    let ended = ask(|| answer(500, &[TEXT], endless()), |_| {}).await;
    assert!(ended.failure().message.len() < 1500, "{ended:?}");
}

#[tokio::test]
async fn a_compressed_bomb_is_cut_where_it_is_too_large_decompressed() {
    let made = Command::new("sh")
        .args(["-c", "head -c 300000000 /dev/zero | tr '\\0' a | gzip -9"])
        .output()
        .unwrap();
    assert!(made.stdout.len() < 400_000);
    let began = Instant::now();
    let bomb = move || answer(200, &[TEXT, ("content-encoding", "gzip")], made.stdout.clone());
    let ended = ask(bomb, |call| call.max_result_bytes = 5000).await;
    assert_eq!(ended.success(), "a".repeat(5000));
    assert!(ended.truncated());
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn characters_are_not_cut_apart() {
    let ended = ask(
        || answer(200, &[TEXT], "ä".repeat(600)),
        |call| call.max_result_bytes = 999,
    )
    .await;
    assert_eq!(ended.success(), "ä".repeat(499));
}

#[tokio::test]
async fn a_body_that_stops_coming_times_out() {
    let stalled = || {
        let first = stream::once(async { Ok::<_, Infallible>("x") });
        answer(
            200,
            &[TEXT],
            Body::from_stream(futures::StreamExt::chain(first, stream::pending())),
        )
    };
    let began = Instant::now();
    let ended = ask(stalled, |call| call.timeout_ms = 300).await;
    assert_eq!(ended.failure().kind, FailureKind::Timeout);
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_server_that_never_answers_times_out() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = json!({
        "baseUrl": format!("http://{}", listener.local_addr().unwrap()), "allowedAddresses": ["127.0.0.1"],
    });
    let mut call = http_call(config, json!({"method": "GET", "path": "/"}), json!({}));
    call.timeout_ms = 300;
    assert_eq!(http(call).await.failure().kind, FailureKind::Timeout);
}

#[tokio::test]
async fn a_broken_answer_is_told_and_never_asked_for_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut connections = 0;
        while let Ok(Ok((mut socket, _))) =
            tokio::time::timeout(Duration::from_millis(500), listener.accept()).await
        {
            connections += 1;
            let mut request = [0; 1024];
            let _ = socket.read(&mut request).await.unwrap();
            socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\nhalf")
                .await
                .unwrap();
        }
        connections
    });
    let config = json!({ "baseUrl": format!("http://{address}"), "allowedAddresses": ["127.0.0.1"] });
    let ended = http(http_call(
        config,
        json!({"method": "POST", "path": "/", "body": {}}),
        json!({}),
    ))
    .await;
    assert_eq!(ended.failure().kind, FailureKind::Upstream);
    assert!(
        ended.failure().message.contains("broke off after 4 bytes"),
        "{ended:?}"
    );
    assert_eq!(server.await.unwrap(), 1);
}

#[tokio::test]
async fn an_error_is_told_in_the_servers_own_words() {
    let missing = || answer(404, &[JSON], json!({"message": "Not Found"}).to_string());
    let ended = ask(missing, |_| {}).await;
    assert_eq!(ended.failure().kind, FailureKind::Upstream);
    assert_eq!(
        ended.failure().message,
        "127.0.0.1 answered 404 Not Found: Not Found"
    );
    assert_eq!(ended.fact("status"), 404);
}

#[tokio::test]
async fn rate_limits_are_told_with_their_delay() {
    let ended = ask(|| answer(429, &[("retry-after", "7")], "slow down"), |_| {}).await;
    assert_eq!(
        (ended.failure().kind, ended.failure().retry_after),
        (FailureKind::RateLimited, Some(7))
    );
    let exhausted = || {
        answer(
            403,
            &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")],
            "no",
        )
    };
    let ended = ask(exhausted, |_| {}).await;
    assert_eq!(
        (ended.failure().kind, ended.failure().retry_after),
        (FailureKind::RateLimited, Some(0))
    );
    let ended = ask(|| answer(503, &[("retry-after", "30")], ""), |_| {}).await;
    assert_eq!(
        (ended.failure().kind, ended.failure().retry_after),
        (FailureKind::Upstream, Some(30))
    );
    let ended = ask(|| answer(403, &[TEXT], "forbidden"), |_| {}).await;
    assert_eq!(
        (ended.failure().kind, ended.failure().retry_after),
        (FailureKind::Upstream, None)
    );
}

#[tokio::test]
async fn what_is_not_text_is_summarised() {
    let image = || answer(200, &[("content-type", "image/png")], vec![0x89_u8; 1234]);
    assert_eq!(
        ask(image, |_| {}).await.success(),
        "(an answer of type image/png, 1234 bytes; only text is shown)"
    );
    let untyped = ask(|| answer(200, &[], vec![0xff_u8; 10]), |_| {}).await;
    assert_eq!(
        untyped.success(),
        "(an answer that is no text, at least 10 bytes)"
    );
    let plain = ask(|| answer(200, &[], "readable"), |_| {}).await;
    assert_eq!(plain.success(), "readable");
}

#[tokio::test]
async fn an_empty_answer_is_told() {
    let ended = ask(
        || answer(204, &[], Body::empty()),
        extracting(json!({"items": "$[*]"})),
    )
    .await;
    assert_eq!(ended.success(), "(HTTP 204 No Content, no content)");
}

#[tokio::test]
async fn compressed_json_is_read() {
    let made = Command::new("sh")
        .args(["-c", "printf '{\"a\":1}' | gzip"])
        .output()
        .unwrap();
    let packed = move || answer(200, &[JSON, ("content-encoding", "gzip")], made.stdout.clone());
    assert_eq!(ask(packed, |_| {}).await.success(), "{\"a\":1}");
}

#[tokio::test]
async fn a_wait_of_parts_of_a_second_is_rounded_up() {
    let ended = ask(|| answer(429, &[("retry-after", "2.5")], "slow down"), |_| {}).await;
    assert_eq!(ended.failure().retry_after, Some(3));
}

#[tokio::test]
async fn json_is_read_however_it_is_encoded() {
    let wide = |text: &str| {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let text = r#"{"a":"ü"}"#;
    let cases: [(&str, Vec<u8>); 6] = [
        ("application/json", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("application/json", wide(text)),
        ("application/json; charset=utf-16", wide(text)),
        (
            "application/json; charset=\"latin1\"",
            b"{\"a\":\"\xfc\"}".to_vec(),
        ),
        ("application/json; charset=klingon", text.into()),
        ("application/json; charset=utf-8", text.into()),
    ];
    for (kind, body) in cases {
        let respond = move || answer(200, &[("content-type", kind)], body.clone());
        let ended = ask(respond, extracting(json!({"fields": {"a": "$.a"}}))).await;
        assert_eq!(ended.success(), text, "{kind}");
    }
}

#[tokio::test]
async fn what_is_no_unicode_in_json_is_replaced() {
    for body in [
        &br#"{"a":"x\ud83d"}"#[..],
        br#"{"a":"x\udE00"}"#,
        b"{\"a\":\"x\xff\"}",
    ] {
        let respond = move || answer(200, &[JSON], body);
        let ended = ask(respond, extracting(json!({"fields": {"a": "$.a"}}))).await;
        assert_eq!(ended.success(), "{\"a\":\"x\u{fffd}\"}");
    }
}

#[tokio::test]
async fn text_is_read_as_declared() {
    let marked: Vec<u8> = "\u{feff}für".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let cases: [(Headers, Vec<u8>); 5] = [
        (
            &[("content-type", "text/plain; charset=iso-8859-1")],
            b"f\xfcr".to_vec(),
        ),
        (
            &[("content-type", "text/plain; charset=\"windows-1252\"")],
            b"f\xfcr".to_vec(),
        ),
        (&[("content-type", "text/plain; charset=no-such")], "für".into()),
        (
            &[("content-type", "text/csv")],
            b"\xef\xbb\xbff\xc3\xbcr".to_vec(),
        ),
        (&[], marked),
    ];
    for (headers, body) in cases {
        let respond = move || answer(200, headers, body.clone());
        assert_eq!(ask(respond, |_| {}).await.success(), "für", "{headers:?}");
    }
    let respond = || {
        answer(
            400,
            &[("content-type", "text/plain; charset=latin1")],
            b"f\xfcr".to_vec(),
        )
    };
    assert!(ask(respond, |_| {}).await.failure().message.ends_with(": für"));
}

#[tokio::test]
async fn text_in_another_encoding_stays_within_the_bound() {
    let respond = || {
        answer(
            200,
            &[("content-type", "text/plain; charset=latin1")],
            vec![0xfc; 5000],
        )
    };
    let ended = ask(respond, |call| call.max_result_bytes = 999).await;
    assert_eq!(ended.success(), "ü".repeat(499));
    assert!(ended.truncated());
}

const PNG: (&str, &str) = ("content-type", "image/png");

#[tokio::test]
async fn an_image_is_given_back_as_one_where_the_model_takes_them() {
    let image = || answer(200, &[PNG], vec![0x89_u8; 300 * 1024]);
    let shown = ask(image, |call| call.max_image_bytes = 360 * 1024).await;
    assert_eq!(shown.media_type(), "image/png");
    assert_eq!(shown.bytes(), vec![0x89_u8; 300 * 1024]);
    let large = ask(image, |call| call.max_image_bytes = 1024).await;
    assert_eq!(large.media_type(), "");
    assert_eq!(
        large.success(),
        "(an answer of type image/png, larger than the 1024 bytes that an image may have to be shown)"
    );
    let blind = ask(image, |_| {}).await;
    assert_eq!(
        blind.success(),
        "(an answer of type image/png, 307200 bytes; only text is shown)"
    );
    let pdf = || answer(200, &[("content-type", "application/pdf")], "%PDF");
    let other = ask(pdf, |call| call.max_image_bytes = 1024).await;
    assert!(other.success().contains("only text is shown"));
}
