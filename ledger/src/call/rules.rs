//! How a call's rows follow one another. Pure: a database reads the row, asks here, and writes what it is told.

use monstrum_wire::ledger::AuditRecord;

use super::{CallEnd, CallStart};
use crate::store::StoreError;

/// A call's row, as far as its end is concerned.
#[derive(Debug, Clone)]
pub(super) struct CallRow {
    pub(super) session: String,
    pub(super) turn: String,
    pub(super) tool: String,
    pub(super) is_finished: bool,
}

/// The record of a call that starts.
pub(super) fn started(start: CallStart) -> AuditRecord {
    AuditRecord {
        kind: "call.started".to_owned(),
        session: start.lease.session,
        turn: start.turn,
        call_id: start.call,
        tool: start.tool,
        ..start.record
    }
}

/// The record of a call that ends, where it started and has not ended before.
pub(super) fn finished(row: Option<CallRow>, end: CallEnd) -> Result<AuditRecord, StoreError> {
    let Some(row) = row else {
        return Err(StoreError::UnknownCall(end.call));
    };
    if row.is_finished {
        return Err(StoreError::CallFinished(end.call));
    }
    Ok(AuditRecord {
        kind: "call.finished".to_owned(),
        session: row.session,
        turn: row.turn,
        call_id: end.call,
        tool: row.tool,
        ..end.record
    })
}
