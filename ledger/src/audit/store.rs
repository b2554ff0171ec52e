//! The interface that every database implements.

use std::future::Future;

use monstrum_wire::ledger::AuditRecord;

use super::chain::Head;
use crate::clock::Moment;
use crate::store::StoreError;
use crate::tenant::BotKey;

/// Which records to read, in order.
#[derive(Debug, Clone)]
pub struct Page {
    /// The first sequence that may be in it.
    pub from: u64,
    /// The last sequence that may be in it.
    pub to: u64,
    /// At most this many.
    pub limit: u32,
    /// Only of this session.
    pub session: Option<String>,
}

/// Appending and reading audit records.
pub trait AuditStore {
    /// Puts the entry at the end of the bot's chain and answers with the new head.
    fn append(
        &self,
        bot: &BotKey,
        now: Moment,
        entry: AuditRecord,
    ) -> impl Future<Output = Result<Head, StoreError>> + Send;

    /// The end of the bot's chain, noted apart from the records.
    fn head(&self, bot: &BotKey) -> impl Future<Output = Result<Head, StoreError>> + Send;

    /// A page of the bot's chain.
    fn read(
        &self,
        bot: &BotKey,
        page: &Page,
    ) -> impl Future<Output = Result<Vec<AuditRecord>, StoreError>> + Send;
}
