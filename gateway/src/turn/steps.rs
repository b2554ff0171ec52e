//! The steps of a turn: ask the model, answer its calls, ask again, until it is done or a bound is reached.

mod calls;
mod question;

use monstrum_wire::ledger::UsageRow;

use super::answer::Ending;
use super::bounds::{Bound, Budget};
use super::context::Context;
use super::failure::Failure;
use super::history::{Entry, History};
use crate::providers::conversation::{Answer, Stop};

/// What the user is told when the provider withholds an answer.
const WITHHELD: &str = "The model provider withheld the rest of the answer.";
const EMPTY: &str = "The model gave an empty answer.";

/// Runs the turn to its end. `report` is told to the user first.
pub(super) async fn run(
    context: &Context,
    history: &mut History,
    budget: &mut Budget,
    report: Option<String>,
) -> Result<Ending, Failure> {
    let mut text = report.unwrap_or_default();
    if !text.is_empty() {
        context.events.text(&text).await;
    }
    loop {
        context.stop.check()?;
        if let Some(bound) = budget.reached() {
            say(context, &mut text, &bound.sentence()).await;
            return Ok(Ending {
                text,
                bound: Some(bound),
                usage: None,
            });
        }
        let step = budget.step();
        let (answer, usage) = question::ask(context, history, budget).await?;
        if answer.calls.is_empty() {
            text.push_str(&answer.text);
            return Ok(ending(context, text, &answer, usage).await);
        }
        let made = calls::name(context, step, &answer.calls);
        let entry = Entry::Assistant {
            text: answer.text.clone(),
            calls: made.iter().map(|(made, _)| made.clone()).collect(),
        };
        // Both before any call is made.
        tokio::try_join!(history.append(context, vec![entry]), context.book(Some(usage)))?;
        let (results, outcome) = match budget.reached() {
            // The model would never see what came of them.
            Some(_) => (calls::leave(&made), Ok(())),
            None => calls::answer_all(context, &made).await,
        };
        history.append(context, results).await?;
        outcome?;
    }
}

async fn ending(context: &Context, mut text: String, answer: &Answer, usage: UsageRow) -> Ending {
    let bound = match answer.stop {
        Stop::Length => {
            say(context, &mut text, &Bound::Output.sentence()).await;
            Some(Bound::Output)
        }
        Stop::Filtered => {
            say(context, &mut text, WITHHELD).await;
            None
        }
        Stop::Complete => {
            if answer.text.trim().is_empty() {
                say(context, &mut text, EMPTY).await;
            }
            None
        }
    };
    Ending {
        text,
        bound,
        usage: Some(usage),
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
