//! Calls: recorded as started before their effect and as finished after it, each once.

use std::fmt;
use std::future::Future;

use monstrum_wire::ledger::{AuditRecord, UnfinishedCall};

use super::{Held, StoreError};
use crate::clock::Moment;
use crate::tenant::BotKey;

/// A call about to have its effect.
#[derive(Debug, Clone)]
pub struct Start {
    /// The session's hold.
    pub held: Held,
    /// Never used before by this bot.
    pub call: String,
    /// The turn that it belongs to.
    pub turn: String,
    /// The tool's name.
    pub tool: String,
    /// Whether it may be run again when its end is unknown.
    pub idempotent: bool,
    /// Its audit record; session, turn, call, tool and kind are those of the call.
    pub record: AuditRecord,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With a result.
    Ok,
    /// With an error.
    Error,
    /// Nobody can tell.
    Unknown,
}

impl Outcome {
    /// Reads the wire's word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "ok" => Some(Self::Ok),
            "error" => Some(Self::Error),
            "unknown" => Some(Self::Unknown),
            _ => None,
        }
    }

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The calls of a bot.
pub trait CallStore {
    /// Records the call as started together with its audit record, and answers with that record's sequence.
    fn start_call(
        &self,
        bot: &BotKey,
        now: Moment,
        start: Start,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Records how the call ended together with its audit record. Needs no hold: an effect that happened is recorded
    /// by whoever saw it.
    fn finish_call(
        &self,
        bot: &BotKey,
        now: Moment,
        call: &str,
        outcome: Outcome,
        record: AuditRecord,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Calls of the session without an outcome, oldest first, at most `limit`.
    fn unfinished_calls(
        &self,
        bot: &BotKey,
        session: &str,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<UnfinishedCall>, StoreError>> + Send;
}
