//! What models used.

use std::future::Future;

use monstrum_wire::ledger::UsageRow;

use super::StoreError;
use crate::clock::Moment;
use crate::tenant::BotKey;

/// Model usage of a bot.
pub trait UsageStore {
    /// Adds a row. A session that it names must be the bot's.
    fn record_usage(
        &self,
        bot: &BotKey,
        now: Moment,
        usage: UsageRow,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Sums since an instant, one row per provider and model, in their order.
    fn sum_usage(
        &self,
        bot: &BotKey,
        since: Moment,
    ) -> impl Future<Output = Result<Vec<UsageRow>, StoreError>> + Send;
}
