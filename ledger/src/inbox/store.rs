//! The interface that every database implements.

use std::future::Future;
use std::time::Duration;

use monstrum_wire::ledger::AcceptedMessage;

use crate::clock::Moment;
use crate::once::Ticket;
use crate::store::StoreError;
use crate::tenant::Owner;

/// A message as it is kept under its ticket.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// Which attempt of the sender it is; taken once.
    pub ticket: Ticket,
    /// How long its accepter has it, unless renewed.
    pub lease: Duration,
    /// What to deliver.
    pub message: AcceptedMessage,
}

/// A wish to deliver what nobody delivers.
#[derive(Debug, Clone)]
pub struct MessageClaim {
    /// What sort of messages.
    pub scope: String,
    /// How long, unless renewed.
    pub lease: Duration,
    /// At most this many.
    pub limit: u32,
}

/// A message that was claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedRow {
    /// Under which id it is kept.
    pub id: String,
    /// Which hold of it this is: greater than that of every hold before.
    pub attempt: u32,
    /// When it was accepted.
    pub accepted: Moment,
    /// What to deliver.
    pub message: AcceptedMessage,
}

/// A message together with the hold that the caller believes to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLease {
    /// What sort of message.
    pub scope: String,
    /// Under which id it is kept.
    pub id: String,
    /// Which hold.
    pub attempt: u32,
}

/// Accepted messages, each until it is finished.
pub trait InboxStore {
    /// Whether the id was free. It is taken now either way; if it was free, the message is kept in the same write, held by the
    /// caller as attempt 1.
    fn accept(
        &self,
        owner: &Owner,
        now: Moment,
        acceptance: Acceptance,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Holds messages whose lease ran out, the oldest first.
    fn claim(
        &self,
        owner: &Owner,
        now: Moment,
        claim: MessageClaim,
    ) -> impl Future<Output = Result<Vec<ClaimedRow>, StoreError>> + Send;

    /// Prolongs a hold. One whose lease ran out is prolonged too, as long as nobody claimed the message since.
    fn renew_message(
        &self,
        owner: &Owner,
        now: Moment,
        lease: MessageLease,
        span: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Forgets the message. Once more is no error.
    fn finish(
        &self,
        owner: &Owner,
        lease: MessageLease,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
