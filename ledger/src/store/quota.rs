//! Quotas and budgets: use is reserved before an effect and settled after it.
//!
//! A use belongs to the instant of its reservation. A reservation that is not settled counts in full whatever the window, until
//! it expires; then it is use like any other. Windows slide: they are counted in buckets of a sixtieth of the window (a
//! second at least), and a bucket counts until all of it has left the window, so that no window ever holds more than the limit.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::StoreError;
use crate::clock::Moment;
use crate::tenant::{BotKey, Spender};

const BUCKETS: u64 = 60;
const MICROS: u64 = 1_000_000;

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

impl CounterKey {
    /// The bucket of a use at `at`: where it begins, and when all of it has left the window.
    pub fn bucket(&self, at: Moment) -> (Moment, Moment) {
        if self.window_seconds == 0 {
            return (Moment::from_micros(0), Moment::from_micros(i64::MAX));
        }
        let width = self.window_seconds.div_ceil(BUCKETS).saturating_mul(MICROS);
        let width = i64::try_from(width).unwrap_or(i64::MAX);
        let offset = at.micros().checked_rem_euclid(width).unwrap_or(0);
        let begin = at.micros().saturating_sub(offset);
        let end = Moment::from_micros(begin.saturating_add(width));
        (
            Moment::from_micros(begin),
            end.after(Duration::from_secs(self.window_seconds)),
        )
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn key(window_seconds: u64) -> CounterKey {
        CounterKey {
            of: CounterOf::Bot,
            quota: "calls".to_owned(),
            window_seconds,
        }
    }

    #[rstest]
    #[case::a_minute(60, 10_500_000, 10_000_000, 71_000_000)]
    #[case::an_hour(3600, 61_000_000, 60_000_000, 3_720_000_000)]
    #[case::odd(61, 3_000_000, 2_000_000, 65_000_000)]
    #[case::for_ever(0, 5, 0, i64::MAX)]
    #[case::absurd(u64::MAX, 5, 0, i64::MAX)]
    fn a_bucket_leaves_after_the_whole_window(
        #[case] window: u64,
        #[case] at: i64,
        #[case] begin: i64,
        #[case] leaves: i64,
    ) {
        let (found_begin, found_leaves) = key(window).bucket(Moment::from_micros(at));
        assert_eq!((found_begin.micros(), found_leaves.micros()), (begin, leaves));
    }
}
