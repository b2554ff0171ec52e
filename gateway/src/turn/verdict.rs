//! From a call to a permit or a denial.

use monstrum_guardian::decision::{Call, Denial, Facts, Permit, Reason, Verdict};

use super::context::Context;
use super::quota;
use crate::ledger::LedgerError;
use crate::policy::Enforced;
use crate::vault::VaultError;

/// What the model is told of a denial. The same for a tool that is forbidden and one that does not exist.
pub(super) const REFUSED: &str = "This call was refused.";

/// Why a call that may be permitted can't be made now.
#[derive(Debug)]
pub(super) enum Obstacle<'a> {
    /// Nothing can be recorded or counted.
    Ledger(&'a LedgerError),
    /// The credential can't be had.
    Vault(&'a VaultError),
    /// The permit does not fit the policy that gave it.
    Inconsistent(&'a str),
}

/// The one place where an error becomes a decision, and the decision is always to deny.
pub(super) fn fail_closed(obstacle: &Obstacle<'_>) -> Denial {
    match obstacle {
        Obstacle::Ledger(LedgerError::Exhausted) => Denial {
            reason: Reason::QuotaExceeded,
            message: "a quota of the grant is used up".to_owned(),
        },
        Obstacle::Ledger(error) => Denial {
            reason: Reason::Internal,
            message: format!("the call can't be recorded: {error}"),
        },
        Obstacle::Vault(error) => Denial {
            reason: Reason::Internal,
            message: error.to_string(),
        },
        Obstacle::Inconsistent(what) => Denial {
            reason: Reason::Internal,
            message: format!("the policy contradicts itself: {what}"),
        },
    }
}

/// Asks the Guardian. How much of a quota is used is only looked up for calls that depend on it.
pub(super) async fn decide(
    context: &Context,
    policy: &Enforced,
    tool: &str,
    arguments: &str,
) -> Result<Box<Permit>, Denial> {
    let call = Call { tool, arguments };
    let mut facts = Facts {
        now: jiff::Timestamp::now(),
        ..Facts::default()
    };
    let decision = policy.engine.check(&call, &facts);
    let denial = match judged(decision.verdict) {
        Ok(permit) => return Ok(permit),
        Err(denial) => denial,
    };
    let binding = decision
        .trace
        .binding
        .filter(|_| denial.reason == Reason::QuotaExceeded);
    let Some(binding) = binding.and_then(|name| policy.engine.binding(&name)) else {
        return Err(denial);
    };
    facts.used = quota::used(&context.gateway.ledger, binding)
        .await
        .map_err(|error| fail_closed(&Obstacle::Ledger(&error)))?;
    judged(policy.engine.check(&call, &facts).verdict)
}

/// Asks the Guardian again, under the policy of this moment, whether a permit still holds as it is.
pub(super) async fn still_holds(
    context: &Context,
    policy: &Enforced,
    call: (&str, &str),
    permit: &Permit,
) -> bool {
    let (tool, arguments) = call;
    let again = decide(context, policy, tool, arguments).await;
    again.is_ok_and(|again| {
        again.binding == permit.binding
            && again.tool == permit.tool
            && again.arguments == permit.arguments
            && again.canonical == permit.canonical
    })
}

fn judged(verdict: Verdict) -> Result<Box<Permit>, Denial> {
    match verdict {
        Verdict::Allow(permit) => Ok(permit),
        Verdict::NeedsApproval(_) => Err(Denial {
            reason: Reason::ApprovalRequired,
            message: "a person must agree first, and this gateway has no way to ask one".to_owned(),
        }),
        Verdict::Deny(denial) => Err(denial),
    }
}

/// What the model is told. Of a tool that it sees it may learn which argument was wrong; of anything else nothing.
pub(super) fn refusal(policy: &Enforced, tool: &str, denial: &Denial) -> String {
    let about_form = matches!(
        denial.reason,
        Reason::MalformedArguments | Reason::InvalidArguments
    );
    if about_form && policy.engine.tools().iter().any(|visible| visible.name == tool) {
        return format!("{REFUSED} Its arguments are not valid: {}", denial.message);
    }
    REFUSED.to_owned()
}
