//! The interface that every database implements.

use std::future::Future;
use std::time::Duration;

use crate::clock::Moment;
use crate::store::StoreError;
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

/// What an id is to somebody who wants to hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// Nobody's before, and the asker's now.
    Fresh,
    /// Somebody's.
    Held,
    /// Taken for good.
    Taken,
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

    /// Holds an id for the ticket's time if nobody has it, or, to `renew`, if it is held.
    fn hold_once(
        &self,
        owner: &Owner,
        now: Moment,
        ticket: Ticket,
        renew: bool,
    ) -> impl Future<Output = Result<Holding, StoreError>> + Send;

    /// Ends the hold of an id: it is taken for the ticket's time, or `free`.
    fn settle_once(
        &self,
        owner: &Owner,
        now: Moment,
        ticket: Ticket,
        free: bool,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
