//! The calls of one answer: named, checked for form, and answered side by side.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, stream};

use crate::providers::conversation::{Answer, Stop, ToolCall};
use crate::turn::call::{self, Wanted};
use crate::turn::context::Context;
use crate::turn::failure::Failure;
use crate::turn::history::{Entry, MadeCall};

/// More calls than this in one answer are refused.
const MOST: usize = 64;
/// Longer arguments are refused and not kept.
const MAX_ARGUMENTS: usize = 64 << 10;
/// All arguments of one answer together; a call beyond is refused.
const MAX_TOGETHER: usize = 256 << 10;
/// Why no call of a cut answer is made, the whole ones not either: nobody knows what else it would have said.
const AT_THE_LIMIT: &str = "Your answer reached the output limit before it was whole, and no call of a cut answer is made. Make fewer \
                            calls in one answer, or shorter ones.";
const IN_A_CALL: &str = "Your answer ended before the arguments of one of its calls did, and no call of such an answer is made. Make \
                         the calls again, each whole.";
const NOT_MADE: &str = "The call was not made: the turn reached a bound.";

/// Gives every call a name of ours; notes what is wrong with its form. The raw arguments stand beside it.
pub(super) fn name(context: &Context, step: u32, answer: &Answer) -> Vec<(MadeCall, String)> {
    let scrubber = context.gateway.vault.scrubber();
    let mut together = 0_usize;
    let cut = match answer.stop {
        Stop::Length => Some(AT_THE_LIMIT),
        Stop::HalfCall => Some(IN_A_CALL),
        Stop::Complete | Stop::Filtered => None,
    };
    let calls = if cut.is_some() {
        &answer.unmade
    } else {
        &answer.calls
    };
    calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            let call_id = format!("{}.{step}.{index}", context.turn);
            together = together.saturating_add(call.arguments.len());
            let fault = cut.or_else(|| fault(index, call, together));
            let kept = call.arguments.len() <= MAX_ARGUMENTS && together <= MAX_TOGETHER;
            let arguments = if kept {
                scrubber.text(&call.arguments)
            } else {
                "{}".to_owned()
            };
            let whole = arguments == call.arguments;
            let masked = ToolCall {
                id: call.id.clone(),
                name: call.name.clone(),
                arguments,
            };
            let fault = fault.map(str::to_owned);
            (
                MadeCall {
                    call_id,
                    call: masked,
                    whole,
                    fault,
                },
                call.arguments.clone(),
            )
        })
        .collect()
}

fn fault(index: usize, call: &ToolCall, together: usize) -> Option<&'static str> {
    if index >= MOST {
        return Some("There are more than 64 calls in one answer.");
    }
    if together > MAX_TOGETHER {
        return Some("The arguments of all calls together are longer than 256 KiB.");
    }
    (call.arguments.len() > MAX_ARGUMENTS).then_some("The arguments are longer than 64 KiB.")
}

/// What came of the calls of one answer.
pub(super) struct Answers {
    /// For the model, in the order of the calls.
    pub(super) results: Vec<Entry>,
    /// For the user, each once.
    pub(super) notices: BTreeSet<String>,
    /// Fails when the end of a call could not be recorded.
    pub(super) outcome: Result<(), Failure>,
}

/// Answers all calls, so many at a time, in their order. When the end of one could not be recorded the turn has to end, but
/// what came of the others is kept.
pub(super) async fn answer_all(context: &Context, made: &[(MadeCall, String)]) -> Answers {
    let parallel = usize::try_from(context.limits.max_parallel_calls)
        .unwrap_or(1)
        .max(1);
    let mut answering: Vec<BoxFuture<'_, _>> = Vec::with_capacity(made.len());
    for (made, raw) in made {
        answering.push(
            call::answer(
                context,
                Wanted {
                    made,
                    raw_arguments: raw,
                },
            )
            .boxed(),
        );
    }
    let answers: Vec<_> = stream::iter(answering).buffered(parallel).collect().await;
    let mut all = Answers {
        results: Vec::with_capacity(made.len()),
        notices: BTreeSet::new(),
        outcome: Ok(()),
    };
    for ((made, _), answer) in made.iter().zip(answers) {
        match answer {
            Ok(answered) => {
                all.notices.extend(answered.notice);
                all.results.push(entry(made, answered.content, answered.ok));
                all.results.extend(answered.image.map(Entry::Image));
            }
            Err(failure) => all.outcome = all.outcome.and(Err(failure)),
        }
    }
    all
}

/// Answers all calls with not having been made.
pub(super) fn leave(made: &[(MadeCall, String)]) -> Answers {
    let results = made
        .iter()
        .map(|(made, _)| entry(made, NOT_MADE.to_owned(), false));
    Answers {
        results: results.collect(),
        notices: BTreeSet::new(),
        outcome: Ok(()),
    }
}

fn entry(made: &MadeCall, content: String, ok: bool) -> Entry {
    Entry::Tool {
        call_id: made.call_id.clone(),
        id: made.call.id.clone(),
        content,
        ok,
    }
}
