//! A provider that gives the key back, in every shape of error and of answer, however it is cut: nothing of it comes through.

use std::sync::Arc;
use std::time::Duration;

use monstrum_wire::policy::{Dialect, Model, ToolChoice};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::*;
use crate::providers::conversation::Message;

const KEY: &str = "sk-Zq7+w/9xP_2mKd=4TbVn";

/// Responses; `KEY` is the key in some spelling.
const SHAPES: [&str; 22] = [
    "400 {\"error\":{\"message\":\"bad KEY\"}}",
    "401 bad KEY",
    "302 KEY",
    "502 <html><title>KEY</title></html>",
    "500 {\"detail\":[{\"loc\":[\"KEY\"],\"msg\":\"KEY\"}]}",
    "200 data: {\"error\":{\"message\":\"bad KEY\",\"type\":\"invalid_request\"}}",
    "200 data: {\"error\":\"bad KEY\"}\n\n",
    "200 data: error: invalid KEY\n\n",
    "200 event: error\ndata: KEY\n\n",
    "200 data: {nonsense KEY\n\n",
    "200 {\"error_type\":\"invalid\",\"error_message\":\"KEY\"}",
    "200 {\"error\":\"{\\\"message\\\":\\\"invalid KEY\\\"}\"}",
    "200 {\"hello\":\"KEY\"}",
    "200 invalid request KEY",
    "200 : hello\n\ninvalid KEY\n",
    "200 data: {\"choices\":[{\"delta\":{\"content\":\"it is KEY\"}}]}\n\n",
    "200 data: {\"choices\":[{\"delta\":{\"content\":\"it is KEY.\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    "200 data: {\"choices\":[{\"delta\":{\"content\":[{\"text\":\"KEY\"}]},\"finish_reason\":\"length\"}]}\n\n",
    "200 {\"choices\":[{\"message\":{\"content\":\"KEY\"},\"finish_reason\":\"stop\"}]}",
    "200 data: {\"choices\":[{\"delta\":{\"content\":\"<think>KEY\"},\"finish_reason\":\"stop\"}]}\n\n",
    "200 data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"KEY\",\"function\":{\"name\":\"KEY\"}}]},\"finish_reason\":\"stop\"}]}\n\n",
    "200 data: {\"choices\":[{\"delta\":{\"content\":\"KEY\"},\"finish_reason\":\"KEY\"}]}\n\ndata: [DONE]\n\n",
];

#[derive(Default)]
struct Heard(String);

impl TextSink for Heard {
    async fn text(&mut self, text: &str) {
        self.0.push_str(text);
    }
}

/// Answers every request with this, in chunks of so many bytes.
async fn serve(listener: TcpListener, status: Arc<str>, body: Arc<str>, chunk: usize) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = [0_u8; 4096];
        drop(stream.read(&mut request).await);
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: text/KEY\r\nconnection: close\r\n\r\n")
            .replace("KEY", KEY);
        drop(stream.write_all(head.as_bytes()).await);
        for part in body.as_bytes().chunks(chunk) {
            drop(stream.write_all(part).await);
            drop(stream.flush().await);
        }
        drop(stream.shutdown().await);
    }
}

/// Everything that comes out.
async fn told(shape: &str, spelt: &str, pad: &str, chunk: usize) -> String {
    let (status, body) = shape.split_once(' ').unwrap();
    let body = body.replace("KEY", &format!("{pad}{spelt}"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = tokio::spawn(serve(listener, status.into(), body.into(), chunk));
    let model = Model {
        dialect: Dialect::Openai.into(),
        base_url,
        id: "m".to_owned(),
        allowed_addresses: vec!["127.0.0.0/8".to_owned()],
        ..Model::default()
    };
    let request = ModelRequest {
        model: &model,
        system: "",
        messages: &[Message::User {
            text: "hello".to_owned(),
            images: Vec::new(),
        }],
        tools: &[],
        tool_choice: ToolChoice::Unspecified,
        metered: true,
    };
    let scrubber = Scrubber::new([KEY.as_bytes()]);
    let mut heard = Heard::default();
    let deadline = Instant::now().checked_add(Duration::from_secs(10)).unwrap();
    monstrum_service::install_crypto();
    let outcome = Models::new(Egress::new().on_this_machine())
        .ask(&request, Some(KEY.as_bytes()), &scrubber, deadline, &mut heard)
        .await;
    server.abort();
    let outcome = match outcome {
        Ok((answer, _)) => format!("{answer:?}"),
        Err(left) => format!("{left:?} {}", left.error),
    };
    format!("{} {outcome}", heard.0)
}

fn spelling() -> impl Strategy<Value = String> {
    let hex: Vec<_> = KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: Vec<_> = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    prop_oneof![Just(KEY.to_owned()), Just(hex.concat()), Just(percent.concat())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_part_of_the_key_comes_out_of_any_shape(
        shape in prop::sample::select(SHAPES.to_vec()),
        spelt in spelling(),
        words in 0..420_usize,
        blanks in prop_oneof![Just(0_usize), MAX_ERROR_BODY - 60..MAX_ERROR_BODY],
        chunk in prop_oneof![Just(1_usize << 20), 1..40_usize],
    ) {
        let pad = "x".repeat(words) + &" ".repeat(blanks);
        let chunk = chunk.max(blanks / 20);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let told = runtime.block_on(told(shape, &spelt, &pad, chunk));
        // Four characters in a row may be there by accident, five of a key are not.
        for part in KEY.as_bytes().windows(5).chain(spelt.as_bytes().windows(9)) {
            let part = std::str::from_utf8(part).unwrap();
            prop_assert!(!told.contains(part), "{part} of {shape}: {told}");
        }
    }
}
