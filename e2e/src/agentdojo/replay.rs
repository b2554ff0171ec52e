//! One trace, call by call.

use anyhow::{Context as _, Result};
use monstrum_guardian::Engine;
use monstrum_guardian::decision::{
    Call, Decision, DimensionTrace, Facts, GrantTrace, Reason, Trace as Explanation, Verdict,
};
use monstrum_guardian::source::{Dimension, Match, WhenUnset};
use serde::Serialize;
use serde_json::Value;

use super::trace::{Trace, TracedCall};

/// What became of one call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answered {
    /// The tool.
    pub(super) tool: String,
    /// Its arguments.
    pub(super) arguments: Value,
    /// What the engine said.
    pub(super) answer: Answer,
}

/// What the engine said to a call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Answer {
    /// This grant permits it.
    Permitted {
        /// The grant's origin.
        grant: String,
    },
    /// A person has to agree: neither permitted nor denied.
    Waits {
        /// The grant's origin.
        grant: String,
    },
    /// Nothing permits it.
    Denied {
        /// The closed code.
        reason: Reason,
        /// One sentence.
        message: String,
        /// The dimensions that do not match in the grant that comes closest.
        unmet: Vec<String>,
    },
}

/// Asks the engine about every call of a trace. What its earlier calls use of quotas counts for the later ones.
pub(super) fn replay(engine: &Engine, trace: &Trace, now: jiff::Timestamp) -> Result<Vec<Answered>> {
    let mut facts = Facts {
        now,
        used: engine
            .counters()
            .into_iter()
            .map(|counter| (counter.key, 0))
            .collect(),
    };
    trace
        .calls
        .iter()
        .map(|call| answered(engine, call, &mut facts))
        .collect()
}

fn answered(engine: &Engine, call: &TracedCall, facts: &mut Facts) -> Result<Answered> {
    let arguments = serde_json::to_string(&call.args).context("the arguments are no JSON")?;
    let asked = Call {
        tool: &call.function,
        arguments: &arguments,
    };
    let Decision { verdict, .. } = engine.check(&asked, facts);
    let answer = match verdict {
        Verdict::Allow(permit) => {
            for reservation in permit.reserve {
                *facts.used.entry(reservation.key).or_default() += reservation.amount;
            }
            Answer::Permitted {
                grant: permit.grant.into(),
            }
        }
        Verdict::NeedsApproval(permit) => Answer::Waits {
            grant: permit.grant.into(),
        },
        Verdict::Deny(denial) => Answer::Denied {
            reason: denial.reason,
            message: denial.message.into_owned(),
            unmet: unmet(engine, &engine.explain(&asked, facts).trace),
        },
    };
    Ok(Answered {
        tool: call.function.clone(),
        arguments: Value::Object(call.args.clone()),
        answer,
    })
}

/// What the grant that covers the tool and comes closest would have had to match.
fn unmet(engine: &Engine, explanation: &Explanation) -> Vec<String> {
    let binding = explanation.binding.as_deref();
    let dimensions = binding
        .and_then(|name| engine.binding(name))
        .map(|binding| binding.dimensions.as_slice())
        .unwrap_or_default();
    let covering = explanation.grants.iter().filter(|grant| grant.covers_tool);
    covering
        .map(|grant| unmet_in(grant, dimensions))
        .min_by_key(Vec::len)
        .unwrap_or_default()
}

fn unmet_in(grant: &GrantTrace, dimensions: &[Dimension]) -> Vec<String> {
    let is_unmet = |part: &&DimensionTrace| {
        let known = dimensions
            .iter()
            .find(|dimension| dimension.name == part.dimension);
        let unrestricted =
            part.failed.is_empty() && known.is_some_and(|dimension| dimension.when_unset == WhenUnset::Allow);
        // Whether a rule holds is said by what stops the grant.
        let rule = known.is_some_and(|dimension| dimension.matching == Match::Cel {});
        part.matched.is_none() && !unrestricted && (!rule || grant.stopped_by.is_some())
    };
    let unmet = grant.dimensions.iter().filter(is_unmet);
    let mut names: Vec<String> = unmet.map(|part| part.dimension.clone()).collect();
    names.dedup();
    names
}
