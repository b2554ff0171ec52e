//! How a turn ends: its last words are kept, its end is recorded, its sender is told.

use monstrum_wire::chat::Done;
use monstrum_wire::ledger::UsageRow;

use super::bounds::{Bound, Tally};
use super::context::Context;
use super::failure::Failure;
use super::history::{Entry, History};
use super::records;

/// What the steps came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ending {
    /// The final answer.
    pub(super) text: String,
    /// The bound that was reached, if the model was not done.
    pub(super) bound: Option<Bound>,
    /// What the last question used, not booked yet.
    pub(super) usage: Option<UsageRow>,
}

/// The answer to a message that was answered before.
pub(super) fn replayed(text: String) -> Done {
    Done {
        text,
        usage: None,
        stop: "duplicate".to_owned(),
    }
}

/// Keeps and records the end, whatever it is.
pub(super) async fn finish(
    context: &Context,
    history: &mut History,
    tally: &Tally,
    outcome: Result<Ending, Failure>,
) -> Result<Done, Failure> {
    let outcome = match outcome {
        Ok(ending) => {
            let entry = Entry::Assistant {
                text: ending.text.clone(),
                calls: Vec::new(),
            };
            let (kept, booked) = (
                history.append(context, vec![entry]),
                context.book(ending.usage.clone()),
            );
            tokio::try_join!(kept, booked).map(|_| ending)
        }
        Err(failure) => Err(failure),
    };
    match &outcome {
        Ok(ending) => {
            let stop = ending.bound.map_or("completed", Bound::word);
            context
                .record(records::turn_finished(context, stop, tally))
                .await?;
            Ok(Done {
                text: ending.text.clone(),
                usage: Some(tally.usage()),
                stop: stop.to_owned(),
            })
        }
        Err(failure) => {
            note(context, history, tally, failure).await;
            Err(failure.clone())
        }
    }
}

/// A failure is told to the user in any case; that it is kept and recorded too is tried.
async fn note(context: &Context, history: &mut History, tally: &Tally, failure: &Failure) {
    let entry = Entry::Note {
        text: failure.to_string(),
        code: failure.code().to_owned(),
    };
    let kept = history.append(context, vec![entry]).await;
    let recorded = context
        .record(records::turn_finished(context, failure.code(), tally))
        .await;
    for outcome in [kept, recorded] {
        if let Err(error) = outcome {
            tracing::warn!(turn = %context.turn, error = %error, "the end of a failed turn was not kept");
        }
    }
}
