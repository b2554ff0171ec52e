//! Model providers: the two wire formats that a bot's model may speak, behind one trait.
//!
//! The formats are written here rather than taken from a client crate, because such crates parse a tool call's arguments
//! into a JSON value on the way (duplicate keys are gone before the Guardian could refuse them), and bound neither events nor bodies.
//! A new dialect is one more folder with the same two files: `request` (what is asked) and `stream` (what is answered).
//!
//! **Architecture invariant:** nothing outside this module knows a provider's wire format, and a tool call's arguments leave it as the
//! text that the model wrote.

mod access;
mod anthropic;
pub mod conversation;
mod error;
mod exchange;
mod ids;
mod openai;
mod remedy;
mod retry;
mod schema;
mod shape;
mod sse;

use monstrum_wire::policy::Dialect;
use serde_json::Value;

pub use error::ModelError;
pub use exchange::{Models, TextSink};

use conversation::{Answer, ModelRequest};

/// One wire format.
trait ModelProvider: Send + Sync {
    /// Path segments after the base URL.
    fn path(&self) -> &'static [&'static str];
    /// Request headers that the format wants on every request.
    fn headers(&self) -> &'static [(&'static str, &'static str)];
    /// The header that carries the key, and what stands before the key in it.
    fn key_header(&self) -> (&'static str, &'static str);
    /// The request's body.
    fn body(&self, request: &ModelRequest<'_>) -> Value;
    /// A reader for one answer.
    fn decoder(&self) -> Box<dyn Decoder>;
}

/// Reads one streamed answer.
trait Decoder: Send {
    /// Takes the data of one event; text for the user comes back as it arrives.
    fn event(&mut self, data: &str) -> Result<Decoded, ModelError>;
    /// The whole answer, or why it is none.
    fn finish(self: Box<Self>) -> Result<Answer, ModelError>;
}

/// What one event meant.
#[derive(Debug, Default, PartialEq, Eq)]
struct Decoded {
    text: Option<String>,
    last: bool,
}

fn provider(dialect: Dialect) -> Result<&'static dyn ModelProvider, ModelError> {
    match dialect {
        Dialect::Openai => Ok(&openai::OpenAi),
        Dialect::Anthropic => Ok(&anthropic::Anthropic),
        Dialect::Unspecified => Err(ModelError::Configuration(
            "the policy names no dialect that this gateway speaks".to_owned(),
        )),
    }
}
