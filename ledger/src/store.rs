//! What the ledger keeps, behind an interface that every database shares. All of it is keyed by the bot that it
//! belongs to: an id of another bot is an unknown id.

mod error;

pub use error::{Cause, StoreError};

use crate::audit::AuditStore;
use crate::call::CallStore;
use crate::inbox::InboxStore;
use crate::once::OnceStore;
use crate::quota::QuotaStore;
use crate::session::SessionStore;
use crate::upkeep::UpkeepStore;
use crate::usage::UsageStore;

/// Everything that a database has to do. A write is durable when its future answers.
pub trait Store:
    AuditStore
    + SessionStore
    + CallStore
    + UsageStore
    + OnceStore
    + InboxStore
    + QuotaStore
    + UpkeepStore
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Store for S where
    S: AuditStore
        + SessionStore
        + CallStore
        + UsageStore
        + OnceStore
        + InboxStore
        + QuotaStore
        + UpkeepStore
        + Clone
        + Send
        + Sync
        + 'static
{
}
