//! Quotas and budgets: which counters a decision depends on, whether they have room, and what to reserve of them.

use super::Engine;
use super::reading::Reading;
use crate::decision::{
    Admission, BudgetTrace, Counter, CounterKey, Denial, Estimate, Facts, Reason, Reservation, window_words,
};
use crate::document::Binding;
use crate::source::{BotName, Budget, BudgetOf, Counted, Grant, Quota};

/// What is needed of a counter.
struct Need {
    key: CounterKey,
    counts: Counted,
    amount: u64,
    limit: u64,
    window_seconds: Option<u64>,
}

impl Need {
    /// Why there is not so much left. Use that is not known leaves nothing.
    fn unmet(&self, facts: &Facts) -> Option<String> {
        let (key, counts) = (&self.key, self.counts);
        let Some(used) = facts.used.get(key) else {
            return Some(format!("the use of {key} is not known"));
        };
        if used.checked_add(self.amount).is_some_and(|sum| sum <= self.limit) {
            return None;
        }
        let whole = format!(
            "{}{}",
            counts.words(self.limit),
            window_words(self.window_seconds)
        );
        Some(match self.limit.checked_sub(*used).filter(|left| *left > 0) {
            None => format!("{key} is used up ({whole})"),
            Some(left) => format!(
                "{key} ({whole}) has {} left, and up to {} may be needed",
                counts.words(left),
                counts.words(self.amount)
            ),
        })
    }

    fn reservation(self) -> Reservation {
        Reservation {
            key: self.key,
            counts: self.counts,
            amount: self.amount,
            limit: self.limit,
            window_seconds: self.window_seconds,
        }
    }
}

/// The key of a grant's quota.
pub(super) fn grant_key(bot: &BotName, binding: &Binding, grant: &Grant, quota: &Quota) -> CounterKey {
    CounterKey::Grant {
        bot: bot.clone(),
        binding: binding.name.clone(),
        grant: grant.origin.clone(),
        quota: quota.name.clone(),
    }
}

/// The counters of a binding's grants.
pub(super) fn of_grants<'a>(
    bot: &'a BotName,
    binding: &'a Binding,
) -> impl Iterator<Item = Counter> + use<'a> {
    binding.grants.iter().flat_map(move |grant| {
        grant.quotas.iter().map(move |quota| Counter {
            key: grant_key(bot, binding, grant, quota),
            window_seconds: quota.window_seconds,
        })
    })
}

impl Engine {
    /// The counters of the budgets that count `which`.
    pub(super) fn of_budgets(&self, which: fn(Counted) -> bool) -> impl Iterator<Item = Counter> {
        self.budgets(which).map(|budget| Counter {
            key: self.budget_key(budget),
            window_seconds: budget.window_seconds,
        })
    }

    fn budgets(&self, which: fn(Counted) -> bool) -> impl Iterator<Item = &Budget> {
        let budgets = self.document.budgets.iter();
        budgets.filter(move |budget| which(budget.counts))
    }

    fn budget_key(&self, budget: &Budget) -> CounterKey {
        let bot = &self.document.bot;
        match budget.of {
            BudgetOf::Bot => CounterKey::Bot {
                bot: bot.clone(),
                budget: budget.name.clone(),
            },
            BudgetOf::Workspace => CounterKey::Workspace {
                namespace: bot.namespace.clone(),
                budget: budget.name.clone(),
            },
        }
    }

    fn need(&self, budget: &Budget, amount: u64) -> Need {
        Need {
            key: self.budget_key(budget),
            counts: budget.counts,
            amount,
            limit: budget.limit,
            window_seconds: budget.window_seconds,
        }
    }

    /// Why a budget leaves no room for one more call.
    pub(super) fn exceeded_budget(&self, facts: &Facts) -> Option<String> {
        self.budgets(is_of_calls)
            .find_map(|budget| self.need(budget, 1).unmet(facts))
    }

    /// The part of each budget in a decision on a call.
    pub(super) fn budget_traces(&self, facts: &Facts) -> Vec<BudgetTrace> {
        let traces = self.budgets(is_of_calls).map(|budget| BudgetTrace {
            of: budget.of,
            budget: budget.name.clone(),
            used: facts.used.get(&self.budget_key(budget)).copied(),
            limit: budget.limit,
            stopped_by: self.need(budget, 1).unmet(facts),
        });
        traces.collect()
    }

    /// Why a quota of the grant leaves no room for one more call.
    pub(super) fn exceeded_quota(
        &self,
        reading: &Reading<'_>,
        grant: &Grant,
        facts: &Facts,
    ) -> Option<String> {
        let bot = &self.document.bot;
        grant.quotas.iter().find_map(|quota| {
            let need = Need {
                key: grant_key(bot, reading.binding, grant, quota),
                counts: quota.counts,
                amount: 1,
                limit: quota.limit,
                window_seconds: quota.window_seconds,
            };
            need.unmet(facts)
        })
    }

    /// What a call by the grant reserves: one call of each budget that counts calls, and what the grant's quotas say.
    pub(super) fn reservations(
        &self,
        reading: &Reading<'_>,
        grant: &Grant,
        facts: &Facts,
    ) -> Vec<Reservation> {
        let budgets = self
            .budgets(is_of_calls)
            .map(|budget| self.need(budget, 1).reservation());
        let quotas = grant
            .quotas
            .iter()
            .map(|quota| self.quota_reservation(reading, grant, quota, facts));
        budgets.chain(quotas).collect()
    }

    /// One call; or, where nobody knows beforehand what a call costs, all that is left, so that calls at the same time
    /// cannot overspend together. Settling gives back what was not spent.
    fn quota_reservation(
        &self,
        reading: &Reading<'_>,
        grant: &Grant,
        quota: &Quota,
        facts: &Facts,
    ) -> Reservation {
        let key = grant_key(&self.document.bot, reading.binding, grant, quota);
        let used = facts.used.get(&key).copied().unwrap_or(quota.limit);
        let amount = match quota.counts {
            Counted::Calls => 1,
            Counted::Tokens | Counted::MicroUsd => quota.limit.saturating_sub(used),
        };
        Reservation {
            key,
            counts: quota.counts,
            amount,
            limit: quota.limit,
            window_seconds: quota.window_seconds,
        }
    }

    pub(super) fn admission(&self, estimate: &Estimate, facts: &Facts) -> Admission {
        let denied = |reason, message: String| {
            let message = message.into();
            Admission::Denied(Denial { reason, message })
        };
        if self.digest.is_empty() {
            return denied(Reason::NoPolicy, "the bot has no policy".to_owned());
        }
        let mut reserve = Vec::new();
        for budget in self.budgets(is_of_requests) {
            let amount = match budget.counts {
                Counted::Tokens => estimate.tokens,
                Counted::MicroUsd => estimate.micro_usd,
                Counted::Calls => continue,
            };
            let need = self.need(budget, amount);
            if let Some(message) = need.unmet(facts) {
                return denied(Reason::QuotaExceeded, message);
            }
            reserve.push(need.reservation());
        }
        Admission::Admitted(reserve)
    }
}

/// What a call of a tool uses.
pub(super) fn is_of_calls(counts: Counted) -> bool {
    counts == Counted::Calls
}

/// What a request to the model uses.
pub(super) fn is_of_requests(counts: Counted) -> bool {
    matches!(counts, Counted::Tokens | Counted::MicroUsd)
}
