//! A scripted model server that speaks both wire formats, streams, and remembers every request.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use monstrum_answers::{Dialect, Form, Reply as Written, ReplyCall};
use serde_json::Value;
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
    /// In which form it comes, if not in the ordinary one.
    pub form: Option<Form>,
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
            finish: "",
            form: None,
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

    /// The same in another form.
    pub fn form(self, form: Form) -> Self {
        Self {
            form: Some(form),
            ..self
        }
    }

    fn written(&self) -> Written {
        let call = |(id, name, arguments): &(String, String, String)| ReplyCall {
            id: id.clone(),
            name: name.clone(),
            arguments: arguments.clone(),
        };
        Written {
            text: self.text.clone(),
            calls: self.calls.iter().map(call).collect(),
            input_tokens: 100,
            cached_tokens: 40,
            cache_written_tokens: 40,
            output_tokens: 10,
            reason: (!self.finish.is_empty()).then(|| self.finish.to_owned()),
            cut: self.cut,
            ..Written::default()
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
    let dialect = if path.ends_with("/messages") {
        Dialect::Anthropic
    } else {
        Dialect::OpenAi
    };
    let written = reply.written();
    if let Some(form) = reply.form {
        return form.write(dialect, &written).into_response();
    }
    let chunks = written.stream(dialect, true).into_iter();
    let chunks = chunks.map(|event| Ok::<_, std::io::Error>(Bytes::from(event)));
    response = response.header("content-type", "text/event-stream");
    response
        .body(Body::from_stream(futures::stream::iter(chunks)))
        .unwrap()
}
