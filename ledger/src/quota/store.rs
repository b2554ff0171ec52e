//! The interface that every database implements.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::clock::Moment;
use crate::store::StoreError;
use crate::tenant::{BotKey, Spender};

/// Which counter, of those that a bot may use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterKey {
    /// Whose use it counts.
    pub of: CounterOf,
    /// The name of the quota or budget.
    pub quota: String,
    /// The window's length; 0 for ever.
    pub window_seconds: u64,
}

/// Whose use a counter counts. Which bot and which Workspace, the [`Spender`] says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CounterOf {
    /// That of all bots of the Workspace.
    Workspace,
    /// The bot's.
    Bot,
    /// That by one of the bot's grants.
    Grant {
        /// The binding's name.
        binding: String,
        /// The grant's origin.
        grant: String,
    },
}

/// For people, to be read after nothing: `the bot's budget "daily"`.
impl fmt::Display for CounterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.quota;
        match &self.of {
            CounterOf::Workspace => write!(f, "the workspace's budget {name:?}"),
            CounterOf::Bot => write!(f, "the bot's budget {name:?}"),
            CounterOf::Grant { binding, grant } => {
                write!(f, "quota {name:?} of grant {grant:?} in binding {binding:?}")
            }
        }
    }
}

/// What to reserve of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The counter.
    pub key: CounterKey,
    /// How much.
    pub amount: u64,
    /// How much the window may hold.
    pub limit: u64,
}

/// What was used of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The counter.
    pub key: CounterKey,
    /// How much.
    pub amount: u64,
}

/// The counters of a bot's quotas, its budgets, and those of its Workspace.
pub trait QuotaStore {
    /// Settled and reserved use in the present window, in the order asked.
    fn quota_use(
        &self,
        spender: &Spender,
        now: Moment,
        keys: Vec<CounterKey>,
    ) -> impl Future<Output = Result<Vec<Use>, StoreError>> + Send;

    /// Reserves all charges or none; no two of them name one counter. The same reservation again changes nothing.
    fn reserve(
        &self,
        spender: &Spender,
        now: Moment,
        reservation: &str,
        charges: Vec<Charge>,
        keep: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Replaces a reservation by what was used, also where the Workspace has been replaced since. A counter that is not named was used in full. More than was reserved
    /// counts too. Once more changes nothing.
    fn settle(
        &self,
        bot: &BotKey,
        now: Moment,
        reservation: &str,
        uses: Vec<Use>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
