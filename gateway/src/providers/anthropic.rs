//! Anthropic Messages.

mod request;
mod stream;

use serde_json::Value;

use super::ModelProvider;
use super::answer::{Assembler, Json, Seen};
use super::conversation::ModelRequest;

/// The dialect.
pub(super) struct Anthropic;

impl ModelProvider for Anthropic {
    fn path(&self) -> &'static [&'static str] {
        &["messages"]
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        ("x-api-key", "")
    }

    fn body(&self, request: &ModelRequest<'_>) -> Value {
        request::body(request)
    }

    fn read(&self, json: Json<'_>, into: &mut Assembler) -> Seen {
        stream::read(json, into)
    }
}
