//! Model providers: the two wire formats that a bot's model may speak, behind one trait.
//!
//! The formats are written here rather than taken from a client crate, because such crates parse a tool call's arguments
//! into a JSON value on the way (duplicate keys are gone before the Guardian could refuse them), and bound neither events nor bodies.
//! A new dialect is one more folder with the same two files: `request` (what is asked) and `stream` (which part of the answer an event
//! is); what is made of the parts is the same for all of them, in `answer`.
//!
//! **Architecture invariant:** nothing outside this module knows a provider's wire format, and a tool call's arguments leave it as the
//! text that the model wrote.

mod access;
mod answer;
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
mod speaker;

use monstrum_scrub::Tainted;
use monstrum_wire::policy::Dialect;
use serde_json::Value;

pub use answer::{Claim, Counted};
pub use error::{ErrorClass, ModelError, ProviderError};
pub use exchange::{Models, Unanswered};
pub use speaker::TextSink;

use answer::{Assembler, Json, Seen};
use conversation::ModelRequest;

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
    /// Takes what is part of an answer out of an event, or out of a whole answer.
    fn read(&self, json: Json<'_>, into: &mut Assembler) -> Seen;
}

fn provider(dialect: Dialect) -> Result<&'static dyn ModelProvider, ModelError<Tainted>> {
    match dialect {
        Dialect::Openai => Ok(&openai::OpenAi),
        Dialect::Anthropic => Ok(&anthropic::Anthropic),
        Dialect::Unspecified => Err(ModelError::Configuration(
            "the policy names no dialect that this gateway speaks".into(),
        )),
    }
}
