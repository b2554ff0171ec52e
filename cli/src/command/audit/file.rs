//! The export file: one record as JSON on each line, in order, and a last line that says where the chain ends.

use monstrum_wire::ledger::AuditRecord;
use serde::{Deserialize, Serialize};

/// The newest record's number and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Head {
    /// The number of the last record; 0 for an empty chain.
    pub(super) sequence: u64,
    /// Its hash; 64 zeros for an empty chain.
    pub(super) hash: String,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Trailer {
    /// Where the chain ends.
    pub(super) head: Head,
}

/// One line of a file.
#[derive(Debug)]
pub(super) enum Line {
    /// A record.
    Record(Box<AuditRecord>),
    /// The end.
    Trailer(Trailer),
}

impl Line {
    /// Strict: no unknown field, no missing one, nothing after the value.
    pub(super) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        match serde_json::from_str::<Trailer>(text) {
            Ok(trailer) => Ok(Self::Trailer(trailer)),
            Err(_) => serde_json::from_str(text).map(|record| Self::Record(Box::new(record))),
        }
    }
}

/// `SEQUENCE:HASH`, as `audit export` prints it.
pub(super) fn parse_head(text: &str) -> Result<Head, String> {
    let complaint = || "write it as SEQUENCE:HASH, as `audit export` printed it".to_owned();
    let (sequence, hash) = text.split_once(':').ok_or_else(complaint)?;
    let is_hash = hash.len() == 64 && hash.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    if !is_hash {
        return Err(complaint());
    }
    Ok(Head {
        sequence: sequence.parse().map_err(|_| complaint())?,
        hash: hash.to_owned(),
    })
}
