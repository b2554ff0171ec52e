//! The counters of quotas and budgets.

use std::collections::BTreeMap;
use std::time::Duration;

use monstrum_wire::ledger::{
    self as wire, Counter, QuotaUseRequest, QuotaUseResponse, ReserveRequest, ReserveResponse, SettleRequest,
    SettleResponse,
};

use super::{Charge, CounterKey, CounterOf, Use};
use crate::api::{Api, Refusal, field};
use crate::store::Store;
use crate::tenant::{BotKey, Spender};

/// Counters in one request.
const MOST: usize = 64;

/// The longest that a reservation may stay open.
const LONGEST: Duration = Duration::from_hours(24);

/// The longest window: a hundred years. What is longer is for ever, which is 0.
const LONGEST_WINDOW: u64 = 100 * 366 * 24 * 3600;

impl<S: Store> Api<S> {
    pub(crate) async fn counters(
        &self,
        spender: &Spender,
        request: QuotaUseRequest,
    ) -> Result<QuotaUseResponse, Refusal> {
        let keys = field::bounded("counters", request.counters, MOST)?
            .into_iter()
            .map(|counter| key(counter).map(|(key, ..)| key))
            .collect::<Result<Vec<_>, _>>()?;
        let uses = self.store.quota_use(spender, self.clock.now(), keys).await?;
        Ok(QuotaUseResponse {
            counters: uses.into_iter().map(counter).collect(),
        })
    }

    pub(crate) async fn open_reservation(
        &self,
        spender: &Spender,
        request: ReserveRequest,
    ) -> Result<ReserveResponse, Refusal> {
        let reservation = field::name("reservation", request.reservation)?;
        let charges = charges(request.counters)?;
        let keep = keep(request.ttl_seconds)?;
        self.store
            .reserve(spender, self.clock.now(), &reservation, charges, keep)
            .await?;
        Ok(ReserveResponse {})
    }

    pub(crate) async fn settle_reservation(
        &self,
        bot: &BotKey,
        request: SettleRequest,
    ) -> Result<SettleResponse, Refusal> {
        let reservation = field::name("reservation", request.reservation)?;
        let uses = uses(request.counters)?;
        self.store
            .settle(bot, self.clock.now(), &reservation, uses)
            .await?;
        Ok(SettleResponse {})
    }
}

/// How long a reservation stays open.
pub(crate) fn keep(seconds: u32) -> Result<Duration, Refusal> {
    field::seconds("ttl_seconds", seconds, LONGEST)
}

/// The counter's key, its amount and its limit.
fn key(counter: Counter) -> Result<(CounterKey, u64, u64), Refusal> {
    if counter.window_seconds > LONGEST_WINDOW {
        return Err(field::refused(
            "counters.window_seconds",
            format!(
                "is {}, at most {LONGEST_WINDOW} may be (0 is for ever)",
                counter.window_seconds
            ),
        ));
    }
    let key = CounterKey {
        of: of(counter.of(), counter.binding, counter.grant)?,
        quota: field::name("counters.quota", counter.quota)?,
        window_seconds: counter.window_seconds,
    };
    Ok((key, counter.amount, counter.limit))
}

/// Whose use a counter counts, in the one way to write each.
fn of(of: wire::CounterOf, binding: String, grant: String) -> Result<CounterOf, Refusal> {
    let none = |of: CounterOf| match (binding.is_empty(), grant.is_empty()) {
        (true, true) => Ok(of),
        _ => Err(field::refused(
            "counters.binding",
            "and counters.grant must be empty for a budget",
        )),
    };
    match of {
        wire::CounterOf::Workspace => none(CounterOf::Workspace),
        wire::CounterOf::Bot => none(CounterOf::Bot),
        wire::CounterOf::Grant => Ok(CounterOf::Grant {
            binding: field::name("counters.binding", binding)?,
            grant: field::name("counters.grant", grant)?,
        }),
        wire::CounterOf::Unspecified => Err(field::refused("counters.of", "must say whose use is counted")),
    }
}

/// A counter that is named twice is charged the sum, under the smaller limit.
pub(crate) fn charges(counters: Vec<Counter>) -> Result<Vec<Charge>, Refusal> {
    let mut merged: BTreeMap<CounterKey, (u64, u64)> = BTreeMap::new();
    for counter in field::bounded("counters", counters, MOST)? {
        let (key, amount, limit) = key(counter)?;
        let (sum, lowest) = merged.entry(key).or_insert((0, u64::MAX));
        *sum = field::amount("counters.amount", sum.saturating_add(amount))?;
        *lowest = limit.min(*lowest);
    }
    Ok(merged
        .into_iter()
        .map(|(key, (amount, limit))| Charge { key, amount, limit })
        .collect())
}

/// A counter that is named twice was used the sum.
pub(crate) fn uses(counters: Vec<Counter>) -> Result<Vec<Use>, Refusal> {
    let mut merged: BTreeMap<CounterKey, u64> = BTreeMap::new();
    for counter in field::bounded("counters", counters, MOST)? {
        let (key, amount, _) = key(counter)?;
        let sum = merged.entry(key).or_insert(0);
        *sum = field::amount("counters.amount", sum.saturating_add(amount))?;
    }
    Ok(merged
        .into_iter()
        .map(|(key, amount)| Use { key, amount })
        .collect())
}

fn counter(used: Use) -> Counter {
    let (of, binding, grant) = match used.key.of {
        CounterOf::Workspace => (wire::CounterOf::Workspace, String::new(), String::new()),
        CounterOf::Bot => (wire::CounterOf::Bot, String::new(), String::new()),
        CounterOf::Grant { binding, grant } => (wire::CounterOf::Grant, binding, grant),
    };
    Counter {
        of: of.into(),
        binding,
        grant,
        quota: used.key.quota,
        window_seconds: used.key.window_seconds,
        amount: used.amount,
        limit: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(quota: &str, amount: u64, limit: u64) -> Counter {
        Counter {
            of: wire::CounterOf::Bot.into(),
            quota: quota.to_owned(),
            amount,
            limit,
            ..Counter::default()
        }
    }

    #[test]
    fn a_counter_named_twice_is_charged_the_sum_under_the_smaller_limit() {
        let charges = charges(vec![
            named("calls", 1, 5),
            named("calls", 2, 3),
            named("money", 4, 9),
        ])
        .unwrap();
        let plain: Vec<_> = charges
            .iter()
            .map(|c| (c.key.quota.as_str(), c.amount, c.limit))
            .collect();
        assert_eq!(plain, [("calls", 3, 3), ("money", 4, 9)]);
    }

    #[test]
    fn an_absurd_amount_is_refused_not_wrapped() {
        assert!(
            charges(vec![
                named("calls", u64::MAX, u64::MAX),
                named("calls", 2, u64::MAX)
            ])
            .is_err()
        );
    }
}
