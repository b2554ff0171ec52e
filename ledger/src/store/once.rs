//! Ids that can be taken once.

use std::future::Future;
use std::time::Duration;

use super::StoreError;
use crate::clock::Moment;
use crate::tenant::Owner;

/// An id to take.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// What sort of id.
    pub scope: String,
    /// The id.
    pub id: String,
    /// How long it stays taken.
    pub keep: Duration,
}

/// Replay protection.
pub trait OnceStore {
    /// Whether the id was free; it is taken now either way. Taking again does not prolong the time.
    fn take_once(
        &self,
        owner: &Owner,
        now: Moment,
        ticket: Ticket,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
