//! What models used.

use std::future::Future;

use monstrum_wire::ledger::UsageRow;

use super::StoreError;
use crate::clock::Moment;
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
