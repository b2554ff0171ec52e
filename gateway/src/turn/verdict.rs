//! From a call to a permit or a denial.

use monstrum_guardian::decision::{Call, Decision, Denial, Facts, Permit, Reason, Reservation, Verdict};

use super::context::Context;
use crate::counters;
use crate::gateway::Gateway;
use crate::ledger::LedgerError;
use crate::policy::Enforced;
use crate::vault::VaultError;

/// What the model is told of a denial. The same for a tool that is forbidden and one that does not exist.
pub(super) const REFUSED: &str = "This call was refused.";

/// Why a call that may be permitted can't be made now.
#[derive(Debug)]
pub(crate) enum Obstacle<'a> {
    /// Nothing can be recorded or counted.
    Ledger(&'a LedgerError),
    /// The credential can't be had.
    Vault(&'a VaultError),
    /// The permit does not fit the policy that gave it.
    Inconsistent(&'a str),
}

/// The one place where an error becomes a decision, and the decision is always to deny.
pub(crate) fn fail_closed(obstacle: &Obstacle<'_>) -> Denial {
    match obstacle {
        Obstacle::Ledger(LedgerError::Exhausted(which)) => Denial {
            reason: Reason::QuotaExceeded,
            message: which.clone().into(),
        },
        Obstacle::Ledger(error) => Denial {
            reason: Reason::Internal,
            message: format!("the call can't be recorded: {error}").into(),
        },
        Obstacle::Vault(error) => Denial {
            reason: Reason::Internal,
            message: error.to_string().into(),
        },
        Obstacle::Inconsistent(what) => Denial {
            reason: Reason::Internal,
            message: format!("the policy contradicts itself: {what}").into(),
        },
    }
}

/// What the engine needs to know besides the call. How much of a quota or budget is used is only looked up for calls that
/// depend on it; `own` is what the call has reserved itself.
pub(crate) async fn facts(
    gateway: &Gateway,
    policy: &Enforced,
    call: &Call<'_>,
    own: &[Reservation],
) -> Result<Facts, LedgerError> {
    let mut facts = Facts {
        now: jiff::Timestamp::now(),
        ..Facts::default()
    };
    let Decision { verdict, trace } = policy.engine.check(call, &facts);
    let counted = matches!(verdict, Verdict::Deny(denial) if denial.reason == Reason::QuotaExceeded);
    let Some(binding) = trace.binding.filter(|_| counted) else {
        return Ok(facts);
    };
    let counters = policy.engine.counters_of_calls(&binding);
    facts.used = counters::used(&gateway.ledger, &gateway.bot, counters).await?;
    for reservation in own {
        if let Some(used) = facts.used.get_mut(&reservation.key) {
            *used = used.saturating_sub(reservation.amount);
        }
    }
    Ok(facts)
}

/// Asks the Guardian.
pub(super) async fn decide(
    context: &Context,
    policy: &Enforced,
    tool: &str,
    arguments: &str,
) -> Result<Box<Permit>, Denial> {
    judge(context, policy, &Call { tool, arguments }, &[]).await
}

async fn judge(
    context: &Context,
    policy: &Enforced,
    call: &Call<'_>,
    own: &[Reservation],
) -> Result<Box<Permit>, Denial> {
    let facts = facts(&context.gateway, policy, call, own)
        .await
        .map_err(|error| fail_closed(&Obstacle::Ledger(&error)))?;
    judged(policy.engine.check(call, &facts).verdict)
}

/// Asks the Guardian again, under the policy of this moment, whether a permit still holds as it is.
pub(super) async fn still_holds(
    context: &Context,
    policy: &Enforced,
    call: (&str, &str),
    permit: &Permit,
) -> bool {
    let (tool, arguments) = call;
    let again = judge(context, policy, &Call { tool, arguments }, &permit.reserve).await;
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
            message: "a person must agree first, and this gateway has no way to ask one".into(),
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
