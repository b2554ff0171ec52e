//! What use counts, and when. Pure: a database reads rows, asks here, and writes what it is told.
//!
//! A use belongs to the instant of its reservation. A reservation that is not settled counts in full whatever the window, until
//! it expires; then it is use like any other. Windows slide: they are counted in buckets of a sixtieth of the window (a
//! second at least), and a bucket counts until all of it has left the window, so that no window ever holds more than the limit.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Charge, CounterKey, CounterOf, Use};
use crate::clock::Moment;
use crate::store::StoreError;
use crate::tenant::{Owner, Spender};

const BUCKETS: u64 = 60;
const MICROS: u64 = 1_000_000;

impl CounterKey {
    /// The bucket of a use at `at`: where it begins, and when all of it has left the window.
    pub(super) fn bucket(&self, at: Moment) -> (Moment, Moment) {
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

    /// Whose counter it is, where this spender uses it.
    pub(super) fn owner(&self, spender: &Spender) -> Result<Owner, StoreError> {
        match &self.of {
            CounterOf::Workspace => spender.workspace.clone().ok_or(StoreError::NoWorkspace),
            CounterOf::Bot | CounterOf::Grant { .. } => Ok(Owner::from(&spender.bot)),
        }
    }
}

/// There is room for the charge beside what is settled and reserved.
pub(super) fn require_room(charge: &Charge, used: u64) -> Result<(), StoreError> {
    let sum = used.checked_add(charge.amount);
    if sum.is_none_or(|sum| sum > charge.limit) {
        return Err(StoreError::QuotaExhausted {
            counter: charge.key.clone(),
            used,
            amount: charge.amount,
            limit: charge.limit,
        });
    }
    Ok(())
}

/// What a reservation holds of each of its counters.
pub(super) type Counters = BTreeMap<CounterKey, Reserved>;

/// A counter of a reservation: whose it is, and what it stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reserved {
    pub(super) owner: String,
    pub(super) amount: u64,
}

/// What the charges reserve.
pub(super) fn reserved(spender: &Spender, charges: &[Charge]) -> Result<Counters, StoreError> {
    let counter = |charge: &Charge| {
        let reserved = Reserved {
            owner: charge.key.owner(spender)?.as_str().to_owned(),
            amount: charge.amount,
        };
        Ok((charge.key.clone(), reserved))
    };
    charges.iter().map(counter).collect()
}

/// A change of the settled use of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) owner: String,
    pub(super) key: CounterKey,
    pub(super) by: i64,
}

/// A reservation's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReservationRow {
    pub(super) reserved: Moment,
    pub(super) is_ended: bool,
    pub(super) is_settled: bool,
}

impl ReservationRow {
    /// The same id again: no error only if it asks for the same and is open.
    pub(super) fn require_same(self, id: &str, holds: &Counters, asked: &Counters) -> Result<(), StoreError> {
        if self.is_ended {
            return Err(StoreError::ReservationEnded(id.to_owned()));
        }
        if holds != asked {
            return Err(StoreError::ReservationDiffers(id.to_owned()));
        }
        Ok(())
    }

    /// What a settlement changes; nothing where there was one before. A counter that it does not name was used in full.
    pub(super) fn settled(
        self,
        id: &str,
        holds: &Counters,
        uses: &[Use],
    ) -> Result<Option<Vec<Change>>, StoreError> {
        let mut settled = holds.clone();
        for actual in uses {
            let counter = settled
                .get_mut(&actual.key)
                .ok_or_else(|| StoreError::UnknownCounter {
                    reservation: id.to_owned(),
                    counter: actual.key.clone(),
                })?;
            counter.amount = actual.amount;
        }
        if self.is_settled {
            return Ok(None);
        }
        let change = |(key, Reserved { owner, amount }): (CounterKey, Reserved)| {
            // What expired is use already: only the difference is missing.
            let counted = holds
                .get(&key)
                .filter(|_| self.is_ended)
                .map_or(0, |held| held.amount);
            let by = signed(amount)?.saturating_sub(signed(counted)?);
            Ok(Change { owner, key, by })
        };
        settled
            .into_iter()
            .map(change)
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

/// What changes when a reservation runs out: all of it is use.
pub(super) fn expired(holds: Counters) -> Result<Vec<Change>, StoreError> {
    let change = |(key, Reserved { owner, amount })| {
        let by = signed(amount)?;
        Ok(Change { owner, key, by })
    };
    holds.into_iter().map(change).collect()
}

fn signed(amount: u64) -> Result<i64, StoreError> {
    i64::try_from(amount).map_err(|_| StoreError::TooLarge("amount"))
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
