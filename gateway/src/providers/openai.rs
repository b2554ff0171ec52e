//! OpenAI Chat Completions, and everything that copies it (DeepSeek, Ollama, vLLM, Azure's v1 endpoints).

mod request;
mod stream;

use serde_json::Value;

use super::ModelProvider;
use super::answer::{Assembler, Json, Seen};
use super::conversation::ModelRequest;

/// The dialect.
pub(super) struct OpenAi;

impl ModelProvider for OpenAi {
    fn path(&self) -> &'static [&'static str] {
        &["chat", "completions"]
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        ("authorization", "Bearer ")
    }

    fn body(&self, request: &ModelRequest<'_>) -> Value {
        request::body(request)
    }

    fn read(&self, json: Json<'_>, into: &mut Assembler) -> Seen {
        stream::read(json, into)
    }
}
