//! What a turn that was cut off left behind: calls whose end nobody knows.

use monstrum_wire::ledger::{FinishCallRequest, UnfinishedCall};
use serde_json::Value;

use super::call::{self, Wanted};
use super::context::Context;
use super::failure::Failure;
use super::history::{Entry, History, MadeCall};
use super::records;

const UNKNOWN: &str =
    "The gateway was cut off while this call was under way. It is not known whether the call took effect.";

/// Gives every open call an answer: idempotent ones are run again if all of what was run is known, of the others the model and
/// the user are told that nobody knows. Returns what to tell the user.
pub(super) async fn recover(
    context: &Context,
    history: &mut History,
    cut_off: bool,
) -> Result<Option<String>, Failure> {
    let open = history.unanswered();
    if open.is_empty() && !cut_off {
        return Ok(None);
    }
    let unfinished = context
        .gateway
        .ledger
        .unfinished_calls(&context.held.session)
        .await?;
    for call in &unfinished {
        close(context, call).await?;
    }
    let mut results = Vec::with_capacity(open.len());
    let mut unknown = Vec::new();
    for (index, made) in open.iter().enumerate() {
        let (told, ok, image) = if let Some(answered) = rerun(context, made, &unfinished, index).await? {
            (answered.content, answered.ok, answered.image)
        } else {
            unknown.push(made.call.name.as_str());
            (UNKNOWN.to_owned(), false, None)
        };
        let (call_id, id) = (made.call_id.clone(), made.call.id.clone());
        results.push(Entry::Tool {
            call_id,
            id,
            content: told,
            ok,
        });
        results.extend(image.map(Entry::Image));
    }
    history.append(context, results).await?;
    if unknown.is_empty() {
        return Ok(None);
    }
    let names = unknown.join(", ");
    Ok(Some(format!(
        "The turn before was cut off. It is not known whether these calls took effect: {names}.\n\n"
    )))
}

/// Records that nobody knows how the call ended.
async fn close(context: &Context, call: &UnfinishedCall) -> Result<(), Failure> {
    let end = records::CallEnd {
        outcome: "unknown",
        reason: "GatewayLost".to_owned(),
        facts: Value::Null,
        bytes: 0,
        truncated: false,
    };
    let record = records::finished(context, &call.call_id, &call.tool, &end);
    let finish = FinishCallRequest {
        call_id: call.call_id.clone(),
        outcome: end.outcome.to_owned(),
        record: Some(record),
        // It may have used all that it reserved, which becomes use in the end.
        settlement: None,
    };
    Ok(context.gateway.ledger.finish_call(finish).await?)
}

/// Runs an idempotent call that was started and never finished again, through the Guardian like any other. One whose arguments
/// were masked or left out when they were kept would not be the same call.
async fn rerun(
    context: &Context,
    made: &MadeCall,
    unfinished: &[UnfinishedCall],
    index: usize,
) -> Result<Option<call::Answered>, Failure> {
    let of_this = |call: &&UnfinishedCall| {
        call.call_id
            .strip_prefix(&made.call_id)
            .is_some_and(|rest| rest.is_empty() || rest == ".again")
    };
    if !made.whole {
        return Ok(None);
    }
    if !unfinished
        .iter()
        .find(of_this)
        .is_some_and(|call| call.idempotent)
    {
        return Ok(None);
    }
    let again = MadeCall {
        call_id: format!("{}.0.{index}", context.turn),
        ..made.clone()
    };
    let wanted = Wanted {
        made: &again,
        raw_arguments: &again.call.arguments,
    };
    call::answer(context, wanted).await.map(Some)
}
