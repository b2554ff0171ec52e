//! The steps of a turn: ask the model, answer its calls, ask again, until it is done or a bound is reached.

mod admission;
mod calls;
mod question;

use std::collections::BTreeSet;

use monstrum_wire::ledger::Step;

use super::answer::Ending;
use super::bounds::{Bound, Tally};
use super::context::Context;
use super::failure::Failure;
use super::history::{Entry, History};
use crate::providers::conversation::{Answer, Opaque, Stop};
use question::Answered;

/// What the user is told when the provider withholds an answer.
const WITHHELD: &str = "The model provider withheld the rest of the answer.";
const EMPTY: &str = "The model gave an empty answer.";

/// What the user is told of an answer whose calls were cut off.
const CUT: &str =
    "An answer of the model was cut at its output limit while it made calls; none of them was made.";

/// Runs the turn to its end. `report` is told to the user first.
pub(super) async fn run(
    context: &Context,
    history: &mut History,
    tally: &mut Tally,
    report: Option<String>,
) -> Result<Ending, Failure> {
    let mut text = report.unwrap_or_default();
    if !text.is_empty() {
        context.events.text(&text).await;
    }
    // Why calls were not made, where only the user can do something about it.
    let mut notices: BTreeSet<String> = BTreeSet::new();
    loop {
        context.stop.check()?;
        if let Some(bound) = tally.reached() {
            for notice in &notices {
                say(context, &mut text, notice).await;
            }
            say(context, &mut text, &bound.sentence()).await;
            return Ok(Ending {
                text,
                bound: Some(bound),
                usage: None,
                origin: None,
                state: Opaque::default(),
            });
        }
        let step = tally.step();
        let Answered {
            answer,
            usage,
            origin,
            state,
        } = question::ask(context, history, tally).await?;
        if answer.calls.is_empty() && answer.unmade.is_empty() {
            text.push_str(&answer.text);
            for notice in &notices {
                say(context, &mut text, notice).await;
            }
            return Ok(Ending {
                usage: Some(usage),
                origin: Some(origin),
                state,
                ..ending(context, text, &answer).await
            });
        }
        let made = calls::name(context, step, &answer);
        if answer.stop == Stop::Length {
            notices.insert(CUT.to_owned());
        }
        let entry = Entry::Assistant {
            text: answer.text.clone(),
            calls: made.iter().map(|(made, _)| made.clone()).collect(),
            origin: Some(origin),
            state,
        };
        // Before any call is made.
        let used = Step {
            usage: vec![usage],
            ..Step::default()
        };
        history.advance(context, vec![entry], used).await?;
        let answers = match tally.reached() {
            // The model would never see what came of them.
            Some(_) => calls::leave(&made),
            None => calls::answer_all(context, &made).await,
        };
        notices.extend(answers.notices);
        history.append(context, answers.results).await?;
        answers.outcome?;
    }
}

async fn ending(context: &Context, mut text: String, answer: &Answer) -> Ending {
    let bound = match answer.stop {
        Stop::Length => {
            say(context, &mut text, &Bound::Output.sentence()).await;
            Some(Bound::Output)
        }
        Stop::Filtered => {
            say(context, &mut text, WITHHELD).await;
            None
        }
        Stop::Complete | Stop::HalfCall => {
            if answer.text.trim().is_empty() {
                say(context, &mut text, EMPTY).await;
            }
            None
        }
    };
    Ending {
        text,
        bound,
        usage: None,
        origin: None,
        state: Opaque::default(),
    }
}

/// Adds a sentence of the gateway's own, as a paragraph.
async fn say(context: &Context, text: &mut String, sentence: &str) {
    let gap = if text.is_empty() || text.ends_with("\n\n") {
        ""
    } else {
        "\n\n"
    };
    let addition = format!("{gap}{sentence}");
    context.events.text(&addition).await;
    text.push_str(&addition);
}
