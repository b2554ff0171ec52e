//! How a turn ends: its last words are kept, its end is recorded, its sender is told.

use monstrum_wire::chat::Done;
use monstrum_wire::ledger::{AuditRecord, Step, UsageRow};

use super::bounds::{Bound, Tally};
use super::context::Context;
use super::failure::Failure;
use super::history::{Entry, History};
use super::records;
use crate::providers::conversation::{Opaque, Origin};

/// What the steps came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ending {
    /// The final answer.
    pub(super) text: String,
    /// The bound that was reached, if the model was not done.
    pub(super) bound: Option<Bound>,
    /// What the last question used, not booked yet.
    pub(super) usage: Option<UsageRow>,
    /// Which model gave it, unless the gateway did.
    pub(super) origin: Option<Origin>,
    /// What its provider wants back with it.
    pub(super) state: Opaque,
}

/// The answer to a message that was answered before.
pub(super) fn replayed(text: String) -> Done {
    Done {
        text,
        usage: None,
        stop: "duplicate".to_owned(),
    }
}

/// Keeps and records the end, whatever it is, and gives the session back.
pub(super) async fn finish(
    context: &Context,
    history: &mut History,
    tally: &Tally,
    outcome: Result<Ending, Failure>,
) -> Result<Done, Failure> {
    context.end();
    let done = match outcome {
        Ok(ending) => complete(context, history, tally, ending).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = &done {
        note(context, history, tally, failure).await;
    }
    done
}

async fn complete(
    context: &Context,
    history: &mut History,
    tally: &Tally,
    ending: Ending,
) -> Result<Done, Failure> {
    let stop = ending.bound.map_or("completed", Bound::word);
    let entry = Entry::Assistant {
        text: ending.text.clone(),
        calls: Vec::new(),
        origin: ending.origin,
        state: ending.state,
    };
    let last = Step {
        usage: ending.usage.into_iter().collect(),
        ..last(records::turn_finished(context, stop, tally))
    };
    history.advance(context, vec![entry], last).await?;
    Ok(Done {
        text: ending.text,
        usage: Some(tally.usage()),
        stop: stop.to_owned(),
    })
}

/// A failure is told to the user in any case; that it is kept and recorded too is tried.
async fn note(context: &Context, history: &mut History, tally: &Tally, failure: &Failure) {
    let entry = Entry::Note {
        text: failure.to_string(),
        code: failure.code().to_owned(),
    };
    let step = Step {
        // A call without an answer is for the next turn to recover, which has to learn of it.
        release: history.unanswered().is_empty(),
        ..last(records::turn_finished(context, failure.code(), tally))
    };
    if let Err(error) = history.advance(context, vec![entry], step).await {
        tracing::warn!(turn = %context.turn, error = %error, "the end of a failed turn was not kept");
    }
}

/// The step after which the session is somebody else's.
fn last(record: AuditRecord) -> Step {
    Step {
        records: vec![record],
        release: true,
        ..Step::default()
    }
}
