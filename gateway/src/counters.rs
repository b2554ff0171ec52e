//! The counters of quotas and budgets: how much is used, reserved before an effect and settled after it.

use std::collections::BTreeMap;
use std::time::Duration;

use monstrum_guardian::decision::{Counter, CounterKey, Reservation};
use monstrum_guardian::source::Counted;
use monstrum_service::ledger::seconds;
use monstrum_wire::identity::BotId;
use monstrum_wire::ledger::{self, CallReservation, CallSettlement, CounterOf};

use crate::ledger::{Ledger, LedgerError};

/// The ledger takes so many counters in one request.
const MOST: usize = 64;

/// What was really used of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spent {
    /// Nothing, for certain.
    Nothing,
    /// All of it, or nobody knows how much.
    All,
    /// What a model used.
    Model {
        /// Input and output together.
        tokens: u64,
        /// Their price.
        micro_usd: u64,
    },
}

impl Spent {
    fn of(self, reservation: &Reservation) -> u64 {
        match (self, reservation.counts) {
            (Self::Nothing, _) => 0,
            (Self::All, _) | (Self::Model { .. }, Counted::Calls) => reservation.amount,
            (Self::Model { tokens, .. }, Counted::Tokens) => tokens,
            (Self::Model { micro_usd, .. }, Counted::MicroUsd) => micro_usd,
        }
    }
}

/// How much is used now.
pub(crate) async fn used(
    ledger: &Ledger,
    bot: &BotId,
    counters: Vec<Counter>,
) -> Result<BTreeMap<CounterKey, u64>, LedgerError> {
    let mut used = BTreeMap::new();
    for some in counters.chunks(MOST) {
        let asked = some
            .iter()
            .map(|counter| named(bot, &counter.key, counter.window_seconds));
        let answered = ledger.quota_use(asked.collect::<Result<Vec<_>, _>>()?).await?;
        if answered.len() != some.len() {
            return Err(LedgerError::Refused(
                "the ledger did not answer for every counter".to_owned(),
            ));
        }
        let keys = some.iter().map(|counter| counter.key.clone());
        used.extend(keys.zip(answered.into_iter().map(|counter| counter.amount)));
    }
    Ok(used)
}

/// What a call reserves as it starts; nothing when nothing counts it.
pub(crate) fn of_call(
    bot: &BotId,
    reserve: &[Reservation],
    life: Duration,
) -> Result<Option<CallReservation>, LedgerError> {
    if reserve.is_empty() {
        return Ok(None);
    }
    Ok(Some(CallReservation {
        counters: charged(bot, reserve, Spent::All)?,
        ttl_seconds: seconds(life),
    }))
}

/// What a call used as it ends.
pub(crate) fn used_by_call(
    bot: &BotId,
    reserve: &[Reservation],
    spent: Spent,
) -> Result<Option<CallSettlement>, LedgerError> {
    if reserve.is_empty() {
        return Ok(None);
    }
    let counters = charged(bot, reserve, spent)?;
    Ok(Some(CallSettlement { counters }))
}

/// Reserves all or nothing; no request when there is nothing to reserve. What is not settled after `life` was used in full.
pub(crate) async fn reserve(
    ledger: &Ledger,
    bot: &BotId,
    id: &str,
    reserve: &[Reservation],
    life: Duration,
) -> Result<(), LedgerError> {
    if reserve.is_empty() {
        return Ok(());
    }
    ledger.reserve(id, charged(bot, reserve, Spent::All)?, life).await
}

/// Settles a reservation. An unsettled one counts in full until it becomes use, so that a failure here never gives anything back.
pub(crate) async fn settle(ledger: &Ledger, bot: &BotId, id: &str, reserve: &[Reservation], spent: Spent) {
    if reserve.is_empty() {
        return;
    }
    let settled = match charged(bot, reserve, spent) {
        Ok(counters) => ledger.settle(id, counters).await,
        Err(error) => Err(error),
    };
    if let Err(error) = settled {
        tracing::warn!(reservation = id, error = %error, "a reservation was not settled");
    }
}

fn charged(bot: &BotId, reserve: &[Reservation], spent: Spent) -> Result<Vec<ledger::Counter>, LedgerError> {
    let counters = reserve.iter().map(|reservation| {
        Ok(ledger::Counter {
            amount: spent.of(reservation),
            limit: reservation.limit,
            ..named(bot, &reservation.key, reservation.window_seconds)?
        })
    });
    counters.collect()
}

/// A counter as the ledger is told it, which knows by the certificate whose it is. That of another bot is for that bot's gateway.
fn named(bot: &BotId, key: &CounterKey, window_seconds: Option<u64>) -> Result<ledger::Counter, LedgerError> {
    let own = |owner: &monstrum_guardian::source::BotName| {
        owner.namespace == bot.namespace && owner.name == bot.name
    };
    let (of, binding, grant, quota) = match key {
        CounterKey::Workspace { namespace, budget } if *namespace == bot.namespace => {
            (CounterOf::Workspace, "", "", budget)
        }
        CounterKey::Bot { bot: owner, budget } if own(owner) => (CounterOf::Bot, "", "", budget),
        CounterKey::Grant {
            bot: owner,
            binding,
            grant,
            quota,
        } if own(owner) => (CounterOf::Grant, binding.as_str(), grant.as_str(), quota),
        CounterKey::Workspace { .. } | CounterKey::Bot { .. } | CounterKey::Grant { .. } => {
            return Err(LedgerError::Refused(format!("{key} is that of another bot")));
        }
    };
    Ok(ledger::Counter {
        of: of.into(),
        binding: binding.to_owned(),
        grant: grant.to_owned(),
        quota: quota.clone(),
        window_seconds: window_seconds.unwrap_or(0),
        ..ledger::Counter::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_guardian::source;
    use rstest::rstest;

    fn gateway() -> BotId {
        BotId {
            namespace: "team-a".to_owned(),
            name: "triage".to_owned(),
            uid: "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11".parse().unwrap(),
        }
    }

    fn bot(namespace: &str, name: &str) -> source::BotName {
        source::BotName {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    fn budget_of(bot: source::BotName) -> CounterKey {
        CounterKey::Bot {
            bot,
            budget: "daily".to_owned(),
        }
    }

    fn quota_of(bot: source::BotName) -> CounterKey {
        CounterKey::Grant {
            bot,
            binding: "b".to_owned(),
            grant: "g".to_owned(),
            quota: "q".to_owned(),
        }
    }

    fn shared_in(namespace: &str) -> CounterKey {
        CounterKey::Workspace {
            namespace: namespace.to_owned(),
            budget: "daily".to_owned(),
        }
    }

    #[rstest]
    #[case::own_budget(budget_of(bot("team-a", "triage")), true)]
    #[case::own_quota(quota_of(bot("team-a", "triage")), true)]
    #[case::own_workspace(shared_in("team-a"), true)]
    #[case::a_neighbours_budget(budget_of(bot("team-a", "scribe")), false)]
    #[case::a_neighbours_quota(quota_of(bot("team-a", "scribe")), false)]
    #[case::a_namesakes_budget(budget_of(bot("team-b", "triage")), false)]
    #[case::another_workspace(shared_in("team-b"), false)]
    fn only_its_own_counters_are_ever_named(#[case] key: CounterKey, #[case] own: bool) {
        assert_eq!(named(&gateway(), &key, None).is_ok(), own);
    }

    #[test]
    fn what_a_model_used_is_settled_by_what_is_counted() {
        let reservation = |counts| Reservation {
            key: shared_in("team-a"),
            counts,
            amount: 100,
            limit: 1000,
            window_seconds: None,
        };
        let spent = Spent::Model {
            tokens: 7,
            micro_usd: 9,
        };
        assert_eq!(spent.of(&reservation(Counted::Tokens)), 7);
        assert_eq!(spent.of(&reservation(Counted::MicroUsd)), 9);
        assert_eq!(spent.of(&reservation(Counted::Calls)), 100);
        assert_eq!(Spent::All.of(&reservation(Counted::Tokens)), 100);
        assert_eq!(Spent::Nothing.of(&reservation(Counted::Tokens)), 0);
    }
}
