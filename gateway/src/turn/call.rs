//! One tool call: judged, recorded, run, scrubbed, recorded, answered. In this order, each step only after the one before.

mod performance;
mod preparation;

use monstrum_guardian::decision::{Denial, Reason};
use monstrum_wire::chat::{CallDecision, ToolCall, ToolResult, turn_event};
use monstrum_wire::ledger::{FinishCallRequest, StartCallRequest};
use tracing::Instrument as _;

use super::context::Context;
use super::failure::Failure;
use super::history::MadeCall;
use super::output::Clean;
use super::records;
use super::verdict::{self, Obstacle, fail_closed};
use crate::counters::{self, Spent};
use crate::ledger::LedgerError;
use crate::policy::{Changes, Enforced};
use crate::providers::conversation::Image;
use preparation::Prepared;

/// A sender's client takes a few MiB in one event.
const MAX_SHOWN: usize = 256 << 10;
/// What is said of a denied call whose arguments hold a secret.
const MASKED: &str = "the arguments hold a secret, so what is wrong with them is not told";

/// Why a call is not made that a grant permits: a credential goes only where its owner said.
const TELLS_KEY: &str = "the arguments hold the key of the model provider";

/// What the model and the user get for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) ok: bool,
    pub(super) content: String,
    pub(super) truncated: bool,
    /// What the content tells of, where it is an image.
    pub(super) image: Option<Image>,
    /// What the user is told besides, at the turn's end.
    pub(super) notice: Option<String>,
}

/// A call's two texts: what the model wrote, for the Guardian alone, and what everybody else may see.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) made: &'a MadeCall,
    pub(super) raw_arguments: &'a str,
}

impl Wanted<'_> {
    fn tool(&self) -> &str {
        &self.made.call.name
    }

    /// Whether the arguments hold a secret.
    fn is_masked(&self) -> bool {
        self.made.fault.is_none() && !self.made.whole
    }
}

/// Answers one call. Fails only when its end could not be recorded; then the turn must not go on.
pub(super) async fn answer(context: &Context, wanted: Wanted<'_>) -> Result<Answered, Failure> {
    let span = tracing::info_span!("tool_call", gen_ai.tool.call.id = %wanted.made.call_id);
    told(context, wanted).instrument(span).await
}

async fn told(context: &Context, wanted: Wanted<'_>) -> Result<Answered, Failure> {
    let made = wanted.made;
    context
        .events
        .send(turn_event::Event::Call(ToolCall {
            call_id: made.call_id.clone(),
            tool: made.call.name.clone(),
            arguments_json: made.call.arguments.clone(),
        }))
        .await;
    // Watched from before the policy is read, so that no change is missed.
    let changes = context.gateway.policy.changes();
    let policy = context.gateway.policy.current();
    let answered = match permitted(context, &policy, wanted, &made.call_id).await {
        Ok(prepared) => run(context, wanted, prepared, changes).await?,
        Err(denial) => refuse(context, &policy, wanted, &denial).await,
    };
    context
        .events
        .send(turn_event::Event::Result(ToolResult {
            call_id: made.call_id.clone(),
            ok: answered.ok,
            content: shown(&answered.content),
            truncated: answered.truncated,
        }))
        .await;
    Ok(answered)
}

/// What the sender sees of a result, which a model may read in full.
fn shown(content: &str) -> String {
    content
        .get(..content.floor_char_boundary(MAX_SHOWN))
        .unwrap_or_default()
        .to_owned()
}

/// Everything that has to succeed before a call may have an effect.
async fn permitted(
    context: &Context,
    policy: &Enforced,
    wanted: Wanted<'_>,
    call_id: &str,
) -> Result<Prepared, Denial> {
    if let Some(fault) = &wanted.made.fault {
        return Err(Denial {
            reason: Reason::MalformedArguments,
            message: fault.clone().into(),
        });
    }
    let permit = verdict::decide(context, policy, wanted.tool(), wanted.raw_arguments).await?;
    if context.gateway.vault.tells_key(wanted.raw_arguments) {
        return Err(Denial {
            reason: Reason::InvalidArguments,
            message: TELLS_KEY.into(),
        });
    }
    let prepared = preparation::prepare(context, policy, *permit, call_id, wanted.tool()).await?;
    record(context, wanted.tool(), &prepared)
        .await
        .map_err(|error| fail_closed(&Obstacle::Ledger(&error)))?;
    context.gateway.metrics.decision("allow", "");
    Ok(prepared)
}

/// Records the call and reserves what it may use, both or neither.
async fn record(context: &Context, tool: &str, prepared: &Prepared) -> Result<(), LedgerError> {
    let reservation = counters::of_call(
        &context.gateway.bot,
        &prepared.permit.reserve,
        context.reservation_life(),
    )?;
    let start = StartCallRequest {
        session: context.held.session.clone(),
        fence: context.held.fence,
        call_id: prepared.execute.call_id.clone(),
        turn: context.turn.clone(),
        tool: tool.to_owned(),
        idempotent: prepared.idempotent,
        record: Some(records::started(
            context,
            &prepared.digest,
            tool,
            &prepared.permit,
            &prepared.scrubber,
        )),
        reservation,
    };
    context.gateway.ledger.start_call(start).await
}

async fn refuse(context: &Context, policy: &Enforced, wanted: Wanted<'_>, denial: &Denial) -> Answered {
    // A denial's message may quote the arguments, and not to their end.
    let message = if wanted.is_masked() {
        MASKED.into()
    } else {
        context.gateway.vault.scrubber().text(&denial.message).into()
    };
    let denial = &Denial {
        reason: denial.reason,
        message,
    };
    let reason = format!("{:?}", denial.reason);
    context.gateway.metrics.decision("deny", &reason);
    let call = (wanted.made.call_id.as_str(), wanted.tool());
    let record = records::denied(context, &policy.digest, call, &wanted.made.call.arguments, denial);
    if let Err(error) = context.gateway.ledger.append(record).await {
        // Nothing happens either way; without the ledger the turn ends at its next step.
        tracing::error!(call_id = call.0, error = %error, "a denial was not recorded");
    }
    let decision = CallDecision {
        call_id: wanted.made.call_id.clone(),
        allowed: false,
        reason,
        message: denial.message.to_string(),
        grant: String::new(),
    };
    context.events.send(turn_event::Event::Decision(decision)).await;
    let told = match &wanted.made.fault {
        Some(fault) => format!("{} {fault}", verdict::REFUSED),
        None => verdict::refusal(policy, wanted.tool(), denial),
    };
    let used_up = denial.reason == Reason::QuotaExceeded;
    Answered {
        ok: false,
        content: told,
        truncated: false,
        image: None,
        notice: used_up.then(|| format!("A call of {} was not made: {}.", wanted.tool(), denial.message)),
    }
}

/// Runs a recorded call. Where nobody knows how it ended and the tool is idempotent, it is run once more under a new name.
async fn run(
    context: &Context,
    wanted: Wanted<'_>,
    prepared: Prepared,
    mut changes: Changes,
) -> Result<Answered, Failure> {
    allowed(context, wanted, &prepared.permit.grant).await;
    let first = performed(context, wanted, &prepared, &mut changes).await?;
    if !first.lost || !prepared.idempotent || context.stop.failure().is_some() {
        return Ok(first.answered);
    }
    let again = format!("{}.again", wanted.made.call_id);
    let policy = context.gateway.policy.current();
    match permitted(context, &policy, wanted, &again).await {
        Ok(prepared) => Ok(performed(context, wanted, &prepared, &mut changes)
            .await?
            .answered),
        Err(denial) => Ok(refuse(context, &policy, wanted, &denial).await),
    }
}

async fn allowed(context: &Context, wanted: Wanted<'_>, grant: &str) {
    let decision = CallDecision {
        call_id: wanted.made.call_id.clone(),
        allowed: true,
        grant: grant.to_owned(),
        ..CallDecision::default()
    };
    context.events.send(turn_event::Event::Decision(decision)).await;
}

struct Performed {
    answered: Answered,
    lost: bool,
}

async fn performed(
    context: &Context,
    wanted: Wanted<'_>,
    prepared: &Prepared,
    changes: &mut Changes,
) -> Result<Performed, Failure> {
    let ended = performance::perform(context, wanted, prepared, changes).await;
    let call_id = &prepared.execute.call_id;
    let spent = if ended.sent { Spent::All } else { Spent::Nothing };
    let settlement = counters::used_by_call(&context.gateway.bot, &prepared.permit.reserve, spent)?;
    context.gateway.metrics.call(ended.outcome, prepared.executor());
    let end = records::CallEnd {
        outcome: ended.outcome,
        reason: ended.reason,
        facts: ended.facts,
        bytes: ended.clean.content.len(),
        truncated: ended.clean.truncated,
    };
    let record = records::finished(context, call_id, wanted.tool(), &end);
    let finish = FinishCallRequest {
        call_id: call_id.clone(),
        outcome: end.outcome.to_owned(),
        record: Some(record),
        settlement,
    };
    context.gateway.ledger.finish_call(finish).await?;
    let Clean {
        content,
        truncated,
        image,
    } = ended.clean;
    let answered = Answered {
        ok: end.outcome == "ok",
        content,
        truncated,
        image,
        notice: None,
    };
    Ok(Performed {
        answered,
        lost: end.outcome == "unknown",
    })
}
