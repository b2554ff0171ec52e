//! Anthropic Messages.

mod request;
mod stream;

use serde_json::Value;

use super::conversation::ModelRequest;
use super::{Decoder, ModelProvider};

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

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(stream::Reader::default())
    }
}
