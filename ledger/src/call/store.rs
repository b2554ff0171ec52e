//! The interface that every database implements.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use monstrum_wire::ledger::{AuditRecord, UnfinishedCall};

use crate::clock::Moment;
use crate::quota::{Charge, Use};
use crate::session::SessionLease;
use crate::store::StoreError;
use crate::tenant::{BotKey, Spender};

/// A call about to have its effect.
#[derive(Debug, Clone)]
pub struct CallStart {
    /// The hold of its session.
    pub lease: SessionLease,
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
    /// What it may use at most, reserved under the call's id; nothing where nothing counts it.
    pub reserve: Option<Reserve>,
}

/// What a call reserves.
#[derive(Debug, Clone)]
pub struct Reserve {
    /// All of it or the call does not start; no two of them name one counter.
    pub charges: Vec<Charge>,
    /// How long until it counts as use, unless it is settled.
    pub keep: Duration,
}

/// A call after its effect.
#[derive(Debug, Clone)]
pub struct CallEnd {
    /// Which call.
    pub call: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Its audit record; session, turn, call, tool and kind are those of the call.
    pub record: AuditRecord,
    /// What it used of what was reserved under its id, where that is known.
    pub uses: Option<Vec<Use>>,
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
    /// Records the call as started and reserves what it may use, together with its audit record, and answers with that
    /// record's sequence.
    fn start_call(
        &self,
        spender: &Spender,
        now: Moment,
        start: CallStart,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Records how the call ended and what it used, together with its audit record. Needs no hold: an effect that happened
    /// is recorded by whoever saw it.
    fn finish_call(
        &self,
        bot: &BotKey,
        now: Moment,
        end: CallEnd,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Calls of the session without an outcome, oldest first, at most `limit`.
    fn unfinished_calls(
        &self,
        bot: &BotKey,
        session: &str,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<UnfinishedCall>, StoreError>> + Send;
}
