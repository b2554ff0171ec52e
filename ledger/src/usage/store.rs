//! The interface that every database implements.

use std::future::Future;

use monstrum_wire::ledger::UsageRow;

use crate::clock::Moment;
use crate::store::StoreError;
use crate::tenant::BotKey;

/// Model usage of a bot.
pub trait UsageStore {
    /// Sums since an instant, one row per provider and model, in their order.
    fn sum_usage(
        &self,
        bot: &BotKey,
        since: Moment,
    ) -> impl Future<Output = Result<Vec<UsageRow>, StoreError>> + Send;
}
