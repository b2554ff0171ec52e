//! Grants in the engine's words.

use kube::ResourceExt as _;
use monstrum_guardian::source;

use crate::contract::translation::risk;
use crate::kinds::grant::{ApprovalRule, Counted, Quota, Validity};
use crate::kinds::{BotBinding, Grant, Span};
use crate::validate::Fault;

/// Windows are at least a second and at most ten years long.
const LONGEST_WINDOW: u64 = 315_360_000;

/// The grants of a binding itself, in their order.
pub(crate) fn of_binding(binding: &BotBinding) -> Result<Vec<source::Grant>, Vec<Fault>> {
    let name = binding.name_any();
    let mut grants = Vec::new();
    let mut faults = Vec::new();
    for (index, grant) in binding.spec.grants.iter().enumerate() {
        match source(
            grant,
            &format!("binding/{name}#{index}"),
            &format!("spec.grants[{index}]"),
        ) {
            Ok(grant) => grants.push(grant),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() {
        Ok(grants)
    } else {
        Err(faults)
    }
}

/// One grant that was written at `origin`; its faults are at `field`.
pub(crate) fn source(grant: &Grant, origin: &str, field: &str) -> Result<source::Grant, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut quotas = Vec::new();
    for (index, limit) in grant.quotas.iter().enumerate() {
        match quota(limit, &format!("{field}.quotas[{index}]")) {
            Ok(quota) => quotas.push(quota),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(source::Grant {
        origin: origin.to_owned(),
        operations: grant.operations.clone(),
        tools: grant.tools.clone(),
        scope: grant.scope.clone(),
        quotas,
        approval: grant.approval.iter().map(approval).collect(),
        validity: grant.validity.as_ref().map(validity),
    })
}

fn quota(quota: &Quota, field: &str) -> Result<source::Quota, Fault> {
    let limit = u64::try_from(quota.limit)
        .map_err(|_| Fault::invalid(format!("{field}.limit"), "must not be negative"))?;
    Ok(source::Quota {
        name: quota.name.clone(),
        counts: counted(quota.counts),
        limit,
        window_seconds: window(quota.window.as_ref(), field)?,
    })
}

/// The length of a window in seconds; nothing for ever.
pub(crate) fn window(window: Option<&Span>, field: &str) -> Result<Option<u64>, Fault> {
    let Some(window) = window else { return Ok(None) };
    match window.duration().map(|length| length.as_secs()) {
        Some(seconds) if (1..=LONGEST_WINDOW).contains(&seconds) => Ok(Some(seconds)),
        _ => {
            let message = format!(
                "{:?} is not a usable length of time: write it as 1h or 30d",
                window.0
            );
            Err(Fault::invalid(format!("{field}.window"), message))
        }
    }
}

pub(crate) fn counted(counted: Counted) -> source::Counted {
    match counted {
        Counted::Calls => source::Counted::Calls,
        Counted::Tokens => source::Counted::Tokens,
        Counted::MicroUsd => source::Counted::MicroUsd,
    }
}

fn approval(rule: &ApprovalRule) -> source::ApprovalRule {
    source::ApprovalRule {
        risk: rule.risk.map(risk),
        operations: rule.operations.clone(),
    }
}

fn validity(validity: &Validity) -> source::Validity {
    source::Validity {
        not_before: validity.not_before.as_ref().map(|time| time.0),
        not_after: validity.not_after.as_ref().map(|time| time.0),
    }
}
