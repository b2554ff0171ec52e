//! A call that one bot makes on behalf of others: permitted by all of them, or by none.

mod link;

use std::collections::BTreeMap;

use self::link::Link;
use super::check::{CheckError, deny};
use super::reading::Reading;
use super::usage;
use super::{Engine, VisibleTool};
use crate::decision::{
    Call, Counter, CounterKey, Decision, Facts, LinkTrace, Permit, Reservation, Trace, Verdict,
};
use crate::document::Binding;

/// The most bots in a chain.
pub const MAX_LINKS: usize = 8;

/// Bots that gave work to each other, the first one first. The last one makes the calls.
///
/// What the last bot may do is the intersection of its own grants with what each bot above it may hand on to the next one:
/// what its own grants permit, or what an administrator wrote for that delegation. Each bot covers a call by one whole grant. Every
/// condition of those grants counts: validity, quotas, approval, and the budgets of each bot.
#[derive(Debug, Clone)]
pub struct Chain<'a> {
    links: Vec<&'a Engine>,
}

impl<'a> Chain<'a> {
    /// A chain of these policies, the first bot first. Whether it is one that may exist is judged with each question.
    pub fn new(links: Vec<&'a Engine>) -> Self {
        Self { links }
    }

    /// Decides one call of the last bot.
    pub fn check(&self, call: &Call<'_>, facts: &Facts) -> Decision {
        self.decide(call, facts, false)
    }

    /// The same verdict as [`Chain::check`], with the part of every grant of the last bot in its trace, and that of each bot above.
    pub fn explain(&self, call: &Call<'_>, facts: &Facts) -> Decision {
        self.decide(call, facts, true)
    }

    /// What the last bot may see: its own tools that each bot above could hand on, by names alone.
    pub fn tools(&self) -> Vec<VisibleTool> {
        let (Some(leaf), Ok(links)) = (self.links.last(), self.above()) else {
            return Vec::new();
        };
        let mut tools = leaf.tools();
        tools.retain(|tool| match leaf.entry(&tool.name) {
            Ok((_, _, binding, known)) => links.iter().all(|link| !link.holdings(binding, known).is_empty()),
            Err(_) => false,
        });
        tools
    }

    /// The counters that a decision on this tool may depend on, each once.
    pub fn counters_of_calls(&self, tool: &str) -> Vec<Counter> {
        let (Some(leaf), Ok(links)) = (self.links.last(), self.above()) else {
            return Vec::new();
        };
        let Ok((_, _, binding, known)) = leaf.entry(tool) else {
            return Vec::new();
        };
        let mut counters = leaf.counters_of_calls(&binding.name);
        for link in &links {
            let bot = link.engine.bot();
            for holding in link.holdings(binding, known) {
                counters.extend(usage::of_grants(bot, holding.binding));
            }
            counters.extend(link.engine.of_budgets(usage::is_of_calls));
        }
        counters.sort();
        counters.dedup();
        counters
    }

    fn decide(&self, call: &Call<'_>, facts: &Facts, explained: bool) -> Decision {
        let Some(leaf) = self.links.last() else {
            return Decision {
                verdict: deny(&CheckError::NoPolicy),
                trace: Trace::default(),
            };
        };
        let reading = leaf.read(call);
        let own = match &reading {
            Ok(reading) => leaf.verdict(Ok(reading.clone()), facts),
            Err(error) => deny(error),
        };
        let (verdict, links) = match self.above() {
            Ok(above) => combined(own, &above, &reading, facts),
            Err(error) => (deny(&error), Vec::new()),
        };
        let trace = if explained {
            leaf.whole_trace(call, &reading, facts)
        } else {
            leaf.outline(call, &reading)
        };
        Decision {
            verdict,
            trace: Trace { links, ..trace },
        }
    }

    /// Each bot above the last one with its delegation to the next; an error where the chain can't be.
    fn above(&self) -> Result<Vec<Link<'a>>, CheckError> {
        if self.links.len() > MAX_LINKS {
            let message = format!(
                "a chain has at most {MAX_LINKS} bots, this one has {}",
                self.links.len()
            );
            return Err(CheckError::NotDelegated(message));
        }
        for (place, engine) in self.links.iter().enumerate() {
            if engine.digest().is_empty() {
                return Err(CheckError::NoPolicy);
            }
            if self
                .links
                .iter()
                .take(place)
                .any(|other| other.bot() == engine.bot())
            {
                let message = format!("{} is twice in the chain", link::title(engine.bot()));
                return Err(CheckError::NotDelegated(message));
            }
        }
        let next = self.links.iter().skip(1);
        self.links
            .iter()
            .zip(next)
            .map(|(engine, next)| Link::between(engine, next))
            .collect()
    }
}

/// The last bot's own verdict, as far as every bot above covers the call too.
fn combined(
    own: Verdict,
    above: &[Link<'_>],
    reading: &Result<Reading<'_>, CheckError>,
    facts: &Facts,
) -> (Verdict, Vec<LinkTrace>) {
    let (permit, mut asks) = match own {
        Verdict::Allow(permit) => (permit, false),
        Verdict::NeedsApproval(permit) => (permit, true),
        Verdict::Deny(_) => return (own, Vec::new()),
    };
    let Ok(reading) = reading else {
        return (deny(&CheckError::Internal), Vec::new());
    };
    let mut permit = *permit;
    let mut traces = Vec::new();
    let mut refused = None;
    for link in above {
        let covered = link.cover(reading, facts);
        traces.push(link.trace(&covered));
        match covered {
            Ok((by, needs_approval)) => {
                asks |= needs_approval;
                permit.reserve.extend(by.reserve);
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let verdict = match refused {
        Some(error) => deny(&error),
        None => settled(permit, asks),
    };
    (verdict, traces)
}

fn settled(mut permit: Permit, asks: bool) -> Verdict {
    permit.reserve = merged(permit.reserve);
    let permit = Box::new(permit);
    if asks {
        Verdict::NeedsApproval(permit)
    } else {
        Verdict::Allow(permit)
    }
}

/// What several bots share is reserved once, under the smallest limit.
fn merged(reserve: Vec<Reservation>) -> Vec<Reservation> {
    let mut by_counter: BTreeMap<(CounterKey, Option<u64>), Reservation> = BTreeMap::new();
    for reservation in reserve {
        let counter = (reservation.key.clone(), reservation.window_seconds);
        match by_counter.get_mut(&counter) {
            Some(known) => {
                known.limit = known.limit.min(reservation.limit);
                known.amount = known.amount.max(reservation.amount);
            }
            None => {
                by_counter.insert(counter, reservation);
            }
        }
    }
    by_counter.into_values().collect()
}

/// Whether a bot above speaks of the same thing: the same resource, under the same contract.
fn is_same(binding: &Binding, other: &Binding) -> bool {
    binding.resource == other.resource
        && binding.resource_type == other.resource_type
        && binding.dimensions == other.dimensions
}
