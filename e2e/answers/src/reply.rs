//! An answer before it is written in a dialect.

use serde_json::Value;

use crate::{anthropic, openai};

/// Whose wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Chat Completions.
    OpenAi,
    /// Messages.
    Anthropic,
}

/// What the model says, with what it counts.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The answer's own.
    pub id: String,
    /// Which model says that it answers.
    pub model: String,
    /// What it says.
    pub text: String,
    /// What it calls.
    pub calls: Vec<ReplyCall>,
    /// Part of the input.
    pub cached_tokens: u64,
    /// Part of the input, in the dialect that tells it.
    pub cache_written_tokens: u64,
    /// All input.
    pub input_tokens: u64,
    /// All output.
    pub output_tokens: u64,
    /// Why it stops, in the dialect's word, if not for being done.
    pub reason: Option<String>,
    /// The stream ends in the middle.
    pub cut: bool,
}

/// One call.
#[derive(Debug, Clone, Default)]
pub struct ReplyCall {
    /// The provider's.
    pub id: String,
    /// The tool's.
    pub name: String,
    /// As the model writes them.
    pub arguments: String,
}

impl Reply {
    /// The text in pieces, as a stream brings it.
    pub(crate) fn pieces(&self) -> Vec<String> {
        self.text
            .chars()
            .collect::<Vec<_>>()
            .chunks(7)
            .map(|piece| piece.iter().collect())
            .collect()
    }

    /// The dialect's word for why it stops.
    pub(crate) fn stop<'a>(&'a self, done: &'a str, called: &'a str) -> &'a str {
        match &self.reason {
            Some(reason) => reason,
            None if self.calls.is_empty() => done,
            None => called,
        }
    }

    /// The answer in one object.
    pub fn whole(&self, dialect: Dialect) -> Value {
        match dialect {
            Dialect::OpenAi => openai::whole(self),
            Dialect::Anthropic => anthropic::whole(self),
        }
    }

    /// The answer as server-sent events, one a piece.
    pub fn stream(&self, dialect: Dialect, with_usage: bool) -> Vec<String> {
        match dialect {
            Dialect::OpenAi => openai::stream(self, with_usage),
            Dialect::Anthropic => anthropic::stream(self),
        }
    }
}

impl ReplyCall {
    /// The arguments in two fragments, to be joined by the reader.
    pub(crate) fn fragments(&self) -> (&str, &str) {
        let middle = self.arguments.floor_char_boundary(self.arguments.len() / 2);
        self.arguments.split_at(middle)
    }
}
