//! What the ledger keeps, behind an interface that every database shares. All of it is keyed by the bot that it
//! belongs to: an id of another bot is an unknown id.

mod audit;
mod call;
mod error;
mod inbox;
mod once;
mod quota;
mod session;
pub mod sqlite;
mod upkeep;
mod usage;

pub use audit::{AuditStore, Page};
pub use call::{CallStore, Outcome, Start};
pub use error::StoreError;
pub use inbox::{Acceptance, ClaimedRow, HeldMessage, InboxStore, MOST_WAITING, MessageClaim};
pub use once::{Holding, OnceStore, Ticket};
pub use quota::{Charge, CounterKey, CounterOf, QuotaStore, Use};
pub use session::{Advance, Claim, Held, Hold, Opened, SessionStore, Tail};
pub use upkeep::{Rows, Swept, UpkeepStore};
pub use usage::UsageStore;

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
