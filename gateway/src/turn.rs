//! One turn: a message in, model and tools in between, an answer out, everything recorded.
//!
//! The order is fixed: queue → hold the session → recover what was cut off → ask the model → judge, record, run, record each call
//! → ask again … → answer. Whatever ends a turn, the user gets one clear sentence, and the session can go on.

mod answer;
mod bounds;
mod call;
mod context;
mod events;
mod failure;
mod hold;
mod message;
mod output;
mod quota;
mod records;
mod recovery;
mod history;
mod sessions;
mod steps;
mod stop;
mod trace;
mod verdict;

use std::sync::Arc;

use monstrum_wire::chat::{Done, Failed, Started, turn_event};

pub use events::Events;
pub use failure::Failure;
pub use message::Incoming;
pub use sessions::Sessions;
pub use trace::TraceContext;

use crate::gateway::Gateway;
use context::Context;
use stop::Stop;

/// Runs the turn that `message` starts and tells `events` how it goes.
pub async fn run(gateway: Arc<Gateway>, message: Incoming, events: Events) {
    let outcome = queued(&gateway, &message, &events).await;
    let code = outcome.as_ref().map_or_else(Failure::code, |_| "completed");
    gateway.metrics.turn(code);
    match outcome {
        Ok(done) => events.send(turn_event::Event::Done(done)).await,
        Err(failure) => {
            tracing::info!(code, session = %message.session, error = %failure, "turn failed");
            let failed = Failed { code: code.to_owned(), message: failure.to_string() };
            events.send(turn_event::Event::Failed(failed)).await;
        }
    }
}

/// Waits for the session, here and then in the ledger, and gives it back afterwards.
async fn queued(gateway: &Arc<Gateway>, message: &Incoming, events: &Events) -> Result<Done, Failure> {
    let policy = gateway.policy.current();
    let limits = policy.settings.limits.ok_or(Failure::NoPolicy)?;
    if gateway.is_draining() {
        return Err(Failure::Draining);
    }
    let place = gateway.sessions.join(&message.session, limits.max_queued_messages)?;
    if place.ahead() > 0 {
        events.send(turn_event::Event::Queued(place.ahead())).await;
    }
    let _turn = tokio::select! {
        turn = place.turn() => turn,
        () = events.closed() => return Err(Failure::Cancelled),
        () = gateway.service.shutdown().requested() => return Err(Failure::Draining),
    };
    let (held, cut_off) = hold::acquire(gateway, message, events, limits.max_turn_seconds).await?;
    let stop = Stop::default();
    let context = Context::new(Arc::clone(gateway), message, held, limits, events.clone(), stop.clone());
    let outcome = tokio::select! {
        outcome = turn(&context, message, cut_off) => outcome,
        never = stop::watch(&context, &stop) => match never {},
    };
    hold::release(&context).await;
    outcome
}

async fn turn(context: &Context, message: &Incoming, cut_off: bool) -> Result<Done, Failure> {
    let started = Started { session: context.held.session.clone(), turn: context.turn.clone() };
    context.events.send(turn_event::Event::Started(started)).await;
    let mut history = history::History::load(context).await?;
    let opening = message::open(context, message, &history).await?;
    if let message::Opening::Answered(text) = opening {
        return Ok(answer::replayed(text));
    }
    context.record(records::turn_started(context, message)).await?;
    let mut budget = bounds::Budget::new(context.limits);
    let outcome = async {
        let report = recovery::recover(context, &mut history, cut_off).await?;
        if matches!(opening, message::Opening::New) {
            history.append(context, vec![message.entry()]).await?;
        }
        steps::run(context, &mut history, &mut budget, report).await
    }
    .await;
    answer::finish(context, &mut history, &budget, outcome).await
}
