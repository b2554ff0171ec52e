//! A scripted model server that speaks both wire formats, streams, and remembers every request.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// One scripted answer.
#[derive(Clone)]
pub struct Reply {
    pub text: String,
    pub calls: Vec<(String, String, String)>,
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    /// Sent in place of an answer.
    pub raw: Option<String>,
    /// Stop in the middle.
    pub cut: bool,
    /// Wait for this before the answer begins.
    pub gate: Option<Arc<Notify>>,
    pub finish: &'static str,
}

impl Reply {
    pub fn text(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            calls: Vec::new(),
            status: 200,
            headers: Vec::new(),
            raw: None,
            cut: false,
            gate: None,
            finish: "stop",
        }
    }

    pub fn call(tool: &str, arguments: &str) -> Self {
        Self::calls(&[("call_1", tool, arguments)])
    }

    pub fn calls(calls: &[(&str, &str, &str)]) -> Self {
        let owned = |(id, tool, arguments): &(&str, &str, &str)| {
            ((*id).to_owned(), (*tool).to_owned(), (*arguments).to_owned())
        };
        Self {
            calls: calls.iter().map(owned).collect(),
            ..Self::text("")
        }
    }

    pub fn failing(status: u16, body: &str) -> Self {
        Self {
            status,
            raw: Some(body.to_owned()),
            ..Self::text("")
        }
    }
}

/// What came in.
#[derive(Clone)]
pub struct Seen {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn tools(&self) -> Vec<String> {
        let body = self.json();
        let name = |tool: &Value| {
            tool.pointer("/function/name")
                .or(tool.get("name"))
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        body.get("tools")
            .and_then(Value::as_array)
            .map(|tools| tools.iter().map(name).collect())
            .unwrap_or_default()
    }
}

#[derive(Clone, Default)]
pub struct Model {
    script: Arc<Mutex<VecDeque<Reply>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Model {
    pub async fn start(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().unwrap().extend(replies);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Every byte of every request, headers included except the key's own.
    pub fn everything(&self) -> String {
        let seen = self.seen();
        seen.iter()
            .map(|seen| format!("{}\n{}\n", seen.path, String::from_utf8_lossy(&seen.body)))
            .collect()
    }
}

async fn answer(State(model): State<Model>, request: axum::extract::Request) -> Response {
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX)
        .await
        .unwrap();
    model.seen.lock().unwrap().push(Seen {
        path: path.clone(),
        headers,
        body,
    });
    let reply = model.script.lock().unwrap().pop_front();
    let reply = reply.unwrap_or_else(|| Reply::failing(500, "the script is over"));
    if let Some(gate) = &reply.gate {
        gate.notified().await;
    }
    let mut response = Response::builder().status(StatusCode::from_u16(reply.status).unwrap());
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    if let Some(raw) = &reply.raw {
        if reply.status == 200 {
            response = response.header("content-type", "text/event-stream");
        }
        return response.body(Body::from(raw.clone())).unwrap();
    }
    let mut events = if path.ends_with("/messages") {
        anthropic(&reply)
    } else {
        openai(&reply)
    };
    if reply.cut {
        events.truncate(events.len() / 2);
    }
    let chunks = events
        .into_iter()
        .map(|event| Ok::<_, std::io::Error>(Bytes::from(event)));
    response = response.header("content-type", "text/event-stream");
    response
        .body(Body::from_stream(futures::stream::iter(chunks)))
        .unwrap()
}

fn openai(reply: &Reply) -> Vec<String> {
    let chunk = |delta: Value, finish: Value| {
        format!(
            "data: {}\n\n",
            json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
        )
    };
    let mut events = vec![chunk(json!({ "role": "assistant", "content": "" }), Value::Null)];
    for word in reply.text.split_inclusive(' ') {
        events.push(chunk(json!({ "content": word }), Value::Null));
    }
    for (index, (id, name, arguments)) in reply.calls.iter().enumerate() {
        let start = json!({ "index": index, "id": id, "type": "function", "function": { "name": name, "arguments": "" } });
        events.push(chunk(json!({ "tool_calls": [start] }), Value::Null));
        let (left, right) = arguments.split_at(arguments.floor_char_boundary(arguments.len() / 2));
        for part in [left, right] {
            let part = json!({ "index": index, "function": { "arguments": part } });
            events.push(chunk(json!({ "tool_calls": [part] }), Value::Null));
        }
    }
    let finish = if reply.calls.is_empty() {
        reply.finish
    } else {
        "tool_calls"
    };
    events.push(chunk(json!({}), json!(finish)));
    let usage = json!({
        "prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": { "cached_tokens": 40 }
    });
    events.push(format!("data: {}\n\n", json!({ "choices": [], "usage": usage })));
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn anthropic(reply: &Reply) -> Vec<String> {
    let event = |value: Value| format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap());
    let usage = json!({ "input_tokens": 20, "cache_creation_input_tokens": 40, "cache_read_input_tokens": 40, "output_tokens": 1 });
    let mut events = vec![event(
        json!({ "type": "message_start", "message": { "id": "m", "usage": usage } }),
    )];
    let start = |index: usize, block: Value| json!({ "type": "content_block_start", "index": index, "content_block": block });
    let delta =
        |index: usize, delta: Value| json!({ "type": "content_block_delta", "index": index, "delta": delta });
    if !reply.text.is_empty() {
        events.push(event(start(0, json!({ "type": "text", "text": "" }))));
        for word in reply.text.split_inclusive(' ') {
            events.push(event(delta(0, json!({ "type": "text_delta", "text": word }))));
        }
    }
    for (index, (id, name, arguments)) in reply.calls.iter().enumerate() {
        let index = index + 1;
        events.push(event(start(
            index,
            json!({ "type": "tool_use", "id": id, "name": name, "input": {} }),
        )));
        let (left, right) = arguments.split_at(arguments.floor_char_boundary(arguments.len() / 2));
        for part in [left, right] {
            events.push(event(delta(
                index,
                json!({ "type": "input_json_delta", "partial_json": part }),
            )));
        }
    }
    let stop = if reply.calls.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    };
    events.push(event(json!({ "type": "message_delta", "delta": { "stop_reason": stop }, "usage": { "output_tokens": 10 } })));
    events.push(event(json!({ "type": "message_stop" })));
    events
}
