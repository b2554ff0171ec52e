//! The forms that signed requests come in.

use std::io::Write as _;

use axum::http::StatusCode;
use flate2::Compression;
use flate2::write::GzEncoder;
use monstrum_channel::platform::sign;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::model::Reply;
use crate::webhook::{Inbox, KEY, answer, ask, now};

/// A request with these bytes, signed as they are.
fn signed(inbox: &Inbox, names: &str, headers: &[(&str, &str)], body: &[u8]) -> reqwest::RequestBuilder {
    let timestamp = now();
    let mut request = inbox
        .client
        .post(format!("http://{}/hooks/ask", inbox.address))
        .header(format!("{names}-id"), "m1")
        .header(format!("{names}-timestamp"), timestamp.to_string())
        .header(
            format!("{names}-signature"),
            format!("v1,AAAA v1a,AAAA {}", sign(&KEY, "m1", timestamp, body)),
        );
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.to_vec())
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn event() -> String {
    let mut event: Value = serde_json::from_str(&ask("hi")).unwrap();
    event["specversion"] = json!("1.0");
    event["id"] = json!("e1");
    event["source"] = json!("/tracker");
    event["type"] = json!("dev.example.ask");
    event.to_string()
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[rstest]
#[case::names_of_before_the_standard("svix", &[JSON], ask("hi").into_bytes())]
#[case::byte_order_mark("webhook", &[JSON], [b"\xEF\xBB\xBF", ask("hi").as_bytes()].concat())]
#[case::event("webhook", &[("content-type", "application/cloudevents+json; charset=utf-8")], event().into_bytes())]
#[case::packed("webhook", &[JSON, ("content-encoding", "gzip")], packed(ask("hi").as_bytes()))]
#[case::packed_in_parts("svix", &[JSON, ("content-encoding", "gzip")], [packed(&ask("hi").as_bytes()[..9]), packed(&ask("hi").as_bytes()[9..])].concat())]
#[tokio::test]
async fn a_signed_message_is_answered(
    #[case] names: &str,
    #[case] headers: &[(&str, &str)],
    #[case] body: Vec<u8>,
) {
    let inbox = Inbox::open(|_| {}).await;
    inbox.world.model.script([Reply::text("hello Ann")]);
    let (status, told) = answer(signed(&inbox, names, headers, &body)).await;
    assert_eq!(
        (status, &told["text"]),
        (StatusCode::OK, &json!("hello Ann")),
        "{told}"
    );
}

#[rstest]
#[case::other_packing(&[JSON, ("content-encoding", "br")], ask("hi").into_bytes(), StatusCode::UNSUPPORTED_MEDIA_TYPE)]
#[case::packed_twice(&[JSON, ("content-encoding", "gzip, gzip")], packed(&packed(b"{}")), StatusCode::UNSUPPORTED_MEDIA_TYPE)]
#[case::batch(&[("content-type", "application/cloudevents-batch+json")], b"[]".to_vec(), StatusCode::UNSUPPORTED_MEDIA_TYPE)]
#[case::not_packed(&[JSON, ("content-encoding", "gzip")], ask("hi").into_bytes(), StatusCode::BAD_REQUEST)]
#[case::bomb(&[JSON, ("content-encoding", "gzip")], packed(&vec![b' '; 16 << 20])[..].to_vec(), StatusCode::PAYLOAD_TOO_LARGE)]
#[tokio::test]
async fn what_can_t_be_read_is_told_clearly(
    #[case] headers: &[(&str, &str)],
    #[case] body: Vec<u8>,
    #[case] expected: StatusCode,
) {
    let inbox = Inbox::open(|settings| settings["maxBodyBytes"] = json!(65536)).await;
    let (status, told) = answer(signed(&inbox, "webhook", headers, &body)).await;
    assert_eq!(status, expected, "{told}");
    assert_eq!(inbox.world.model.seen().len(), 0);
}

/// The signature is of the bytes as they were sent, and nothing is unpacked before it fits.
#[tokio::test]
async fn a_signature_of_the_unpacked_text_fits_nothing() {
    let inbox = Inbox::open(|_| {}).await;
    let text = ask("hi");
    let request = signed(
        &inbox,
        "webhook",
        &[JSON, ("content-encoding", "gzip")],
        text.as_bytes(),
    );
    let (status, _) = answer(request.body(packed(text.as_bytes()))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}
