//! The interface that every database implements.

use std::future::Future;
use std::time::Duration;

use crate::clock::Moment;
use crate::store::StoreError;

/// How long what has run out is kept: a settlement that comes late finds its reservation, and use survives a clock that was
/// wrong for a while.
pub const GRACE: Duration = Duration::from_hours(24);

/// How much one round tidied up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Reservations that ran out and became use.
    pub expired_reservations: u64,
    /// Rows that nothing needs any more.
    pub forgotten_rows: u64,
}

/// How many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rows {
    /// Audit records of all bots.
    pub audit_records: u64,
    /// Sessions of all bots.
    pub sessions: u64,
    /// Calls without an outcome.
    pub unfinished_calls: u64,
    /// Ids that are taken.
    pub taken_ids: u64,
    /// Messages that channels accepted and have not answered.
    pub accepted_messages: u64,
    /// Reservations that are not settled.
    pub open_reservations: u64,
}

/// Upkeep, over all bots.
pub trait UpkeepStore {
    /// Turns expired reservations into use and forgets what has run out, at most `limit` rows of each sort.
    fn sweep(&self, now: Moment, limit: u32) -> impl Future<Output = Result<Swept, StoreError>> + Send;

    /// Counts the rows.
    fn rows(&self) -> impl Future<Output = Result<Rows, StoreError>> + Send;
}
