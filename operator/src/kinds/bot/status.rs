//! How a bot stands. Pure.

use monstrum_crds::conditions::{ConditionType, Holds, Reason, State, judged};
use monstrum_crds::validate::Fault;
use serde_json::{Map, Value, json};

use super::super::rollout::{Rollout, Trouble};
use crate::compiler::BotFacts;
use crate::policy::Standing;

/// What the status is worked out from.
pub(super) struct Input<'a> {
    pub(super) faults: Vec<Fault>,
    pub(super) suspended: bool,
    pub(super) facts: &'a BotFacts,
    /// Why objects could not be put in place.
    pub(super) failure: Option<Trouble>,
    pub(super) rollouts: Vec<Rollout>,
    pub(super) standing: Option<Standing>,
}

/// The four conditions.
pub(super) fn states(input: &Input<'_>) -> Vec<State> {
    let mut states = judged(&input.faults).to_vec();
    states.push(programmed(input));
    states.push(ready(input, &states));
    states
}

fn programmed(input: &Input<'_>) -> State {
    let state =
        |holds: bool, reason, message: String| State::new(ConditionType::Programmed, holds, reason, message);
    if let Some(failure) = &input.failure {
        return failure.programmed();
    }
    if input.suspended {
        return state(
            true,
            Reason::Suspended,
            "the bot has no pods: spec.suspend is true".to_owned(),
        );
    }
    if let Some(troubled) = input.rollouts.iter().find_map(Rollout::troubled) {
        return troubled;
    }
    let awaited: Vec<_> = input
        .rollouts
        .iter()
        .filter(|rollout| !rollout.complete)
        .map(Rollout::awaited)
        .collect();
    if !awaited.is_empty() {
        return state(false, Reason::Progressing, awaited.join("; "));
    }
    let sandboxes_to_come = input.facts.sandboxes.len().saturating_add(2) > input.rollouts.len();
    if sandboxes_to_come {
        return state(false, Reason::Progressing, "a sandbox is being made".to_owned());
    }
    state(true, Reason::Programmed, String::new())
}

fn ready(input: &Input<'_>, others: &[State]) -> State {
    let state =
        |holds: bool, reason, message: String| State::new(ConditionType::Ready, holds, reason, message);
    if input.suspended {
        return state(
            false,
            Reason::Suspended,
            "set spec.suspend to false to start the bot".to_owned(),
        );
    }
    let standing = input.standing.as_ref();
    if let Some(replica) = standing.and_then(Standing::fault)
        && others.iter().take(2).all(|other| other.holds == Holds::True)
    {
        let message = format!(
            "gateway {} can't load the policy, and denies everything: {}",
            replica.name, replica.fault
        );
        return state(false, Reason::GatewayRefused, message);
    }
    if let Some(other) = others.iter().find(|other| other.holds != Holds::True) {
        let message = format!(
            "{} is {}: {}",
            other.about.as_str(),
            other.holds.as_str(),
            other.message
        );
        return state(false, other.cause, message);
    }
    let enforcing = standing.map_or(0, Standing::enforcing);
    let connected = standing.map_or(0, |standing| standing.replicas.len());
    let needed = gateways(input).map_or(1, |gateways| gateways.ready);
    let needed = usize::try_from(needed).unwrap_or(usize::MAX).max(1);
    if enforcing < connected || enforcing < needed {
        let message = format!(
            "{enforcing} of {} gateways enforce the current policy",
            connected.max(needed)
        );
        return state(false, Reason::AwaitingGateway, message);
    }
    let notes = [left_out(input.facts), standing.and_then(Standing::others)];
    let notes: Vec<_> = notes.into_iter().flatten().collect();
    state(true, Reason::Ready, notes.join("; "))
}

/// Bindings that grant nothing, for people; nothing when there are none.
fn left_out(facts: &BotFacts) -> Option<String> {
    let names: Vec<_> = facts.left_out().into_iter().collect();
    (!names.is_empty()).then(|| {
        format!(
            "bindings that grant nothing until they are put right: {}",
            names.join(", ")
        )
    })
}

/// The other fields of the status.
pub(super) fn fields(input: &Input<'_>) -> Map<String, Value> {
    let resolved = input.facts.resolved.as_ref();
    let standing = input.standing.as_ref();
    let model = resolved.map(|resolved| format!("{}/{}", resolved.model.provider, resolved.model.id));
    let tools = i32::try_from(if input.suspended { 0 } else { input.facts.tools }).unwrap_or(i32::MAX);
    let scale = gateways(input).map(Rollout::scale);
    let fields = [
        ("policyDigest", json!(standing.map(|standing| &standing.digest))),
        ("enforcedDigest", json!(standing.and_then(enforced))),
        ("tools", json!(tools)),
        ("model", json!(model)),
        ("limits", json!(resolved.map(|resolved| resolved.limits.shown()))),
    ];
    fields
        .into_iter()
        .chain(scale.into_iter().flatten())
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

fn gateways<'a>(input: &'a Input<'_>) -> Option<&'a Rollout> {
    input
        .rollouts
        .iter()
        .find(|rollout| rollout.name.ends_with("-gateway"))
}

/// The digest that every connected gateway enforces, be it the current one or not.
fn enforced(standing: &Standing) -> Option<&str> {
    let first = standing.replicas.first()?;
    let agreed = standing
        .replicas
        .iter()
        .all(|replica| replica.digest == first.digest && replica.fault.is_empty());
    (agreed && !first.digest.is_empty()).then_some(first.digest.as_str())
}

#[cfg(test)]
mod tests;
