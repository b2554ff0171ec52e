//! One turn: a message in, model and tools in between, an answer out, everything recorded.
//!
//! The order is fixed: queue → hold the session → recover what was cut off → ask the model → judge, record, run, record each call
//! → ask again … → answer. Whatever ends a turn, the user gets one clear sentence, and the session can go on.

mod answer;
mod bounds;
mod call;
mod clock;
mod context;
mod events;
mod failure;
mod history;
mod hold;
mod message;
mod output;
pub(crate) mod records;
mod recovery;
mod sessions;
mod steps;
mod stop;
mod trace;
pub(crate) mod verdict;

use std::sync::Arc;

use monstrum_wire::chat::{Done, Failed, Started, turn_event};
use monstrum_wire::ledger::Step;
use tracing::Instrument as _;

pub use events::Events;
pub use failure::Failure;
pub use message::Incoming;
pub use sessions::Sessions;
pub use trace::TraceContext;

use crate::gateway::Gateway;
use crate::ledger::LedgerError;
use clock::Clock;
use context::Context;
use history::History;
use hold::Acquired;
use message::Opening;

/// Runs the turn that `message` starts and tells `events` how it goes.
pub async fn run(gateway: Arc<Gateway>, message: Incoming, events: Events) {
    let span = tracing::info_span!(
        "turn",
        trace_id = message.trace.id(),
        gen_ai.conversation.id = %message.session,
        gen_ai.agent.name = %gateway.bot.name,
    );
    let whole = async {
        if let Err(failure) = Box::pin(queued(&gateway, &message, &events)).await {
            tell(&gateway, &message, &events, Err(failure)).await;
        }
    };
    whole.instrument(span).await;
}

async fn tell(gateway: &Gateway, message: &Incoming, events: &Events, outcome: Result<Done, Failure>) {
    let code = outcome.as_ref().map_or_else(Failure::code, |_| "completed");
    gateway.metrics.turn(code);
    match outcome {
        Ok(done) => events.send(turn_event::Event::Done(done)).await,
        Err(failure) => {
            tracing::info!(code, session = %message.session, error = %failure, "turn failed");
            let failed = Failed {
                code: code.to_owned(),
                message: failure.to_string(),
            };
            events.send(turn_event::Event::Failed(failed)).await;
        }
    }
}

/// Waits for the session, here and then in the ledger, tells how its turn ended, and gives it back. Fails when there was no turn.
async fn queued(gateway: &Arc<Gateway>, message: &Incoming, events: &Events) -> Result<(), Failure> {
    let policy = gateway.policy.current();
    let limits = policy.settings.limits.ok_or(Failure::NoPolicy)?;
    if gateway.is_draining() {
        return Err(Failure::Draining);
    }
    let place = gateway
        .sessions
        .join(&message.session, limits.max_queued_messages)?;
    if place.ahead() > 0 {
        events.send(turn_event::Event::Queued(place.ahead())).await;
    }
    let _turn = tokio::select! {
        turn = place.turn() => turn,
        () = events.closed() => return Err(Failure::Cancelled),
        () = gateway.service.shutdown().requested() => return Err(Failure::Draining),
    };
    let clock = Clock::default();
    let turn = uuid::Uuid::now_v7().simple().to_string();
    let opening = Step {
        once: message.once(),
        messages: message.entries().iter().map(|entry| entry.kept(&turn)).collect(),
        records: vec![records::turn_started(gateway, &turn, message)],
        ..Step::default()
    };
    let acquired = hold::acquire(gateway, message, opening, events, limits.max_turn_seconds).await?;
    let context = Context::new(
        Arc::clone(gateway),
        message,
        turn,
        acquired.held.clone(),
        limits,
        events.clone(),
        clock,
    );
    let outcome = tokio::select! {
        outcome = run_in(&context, message, acquired) => outcome,
        never = stop::watch(&context, &context.stop) => match never {},
    };
    gateway.metrics.own_time(context.clock.own());
    // The sender need not wait until the session is free again; the next message does.
    tell(gateway, message, events, outcome).await;
    hold::release(&context).await;
    Ok(())
}

async fn run_in(context: &Context, message: &Incoming, acquired: Acquired) -> Result<Done, Failure> {
    let started = Started {
        session: context.held.session.clone(),
        turn: context.turn.clone(),
    };
    context.events.send(turn_event::Event::Started(started)).await;
    let mut history = acquired.history;
    let begun = if acquired.opened {
        message
            .entries()
            .into_iter()
            .for_each(|entry| history.push(entry));
        Ok(None)
    } else {
        let opening = message::open(message, &history, acquired.taken)?;
        if let Opening::Answered(text) = opening {
            return Ok(answer::replayed(text));
        }
        resume(context, message, &mut history, &opening, acquired.cut_off).await
    };
    let mut tally = bounds::Tally::new(context.limits);
    let outcome = match begun {
        Ok(report) => steps::run(context, &mut history, &mut tally, report).await,
        Err(failure) => Err(failure),
    };
    answer::finish(context, &mut history, &tally, outcome).await
}

/// Records the turn, deals with what was left open before, and keeps the message if it begins a turn. Returns what the user is told
/// first.
async fn resume(
    context: &Context,
    message: &Incoming,
    history: &mut History,
    opening: &Opening,
    cut_off: bool,
) -> Result<Option<String>, Failure> {
    let record = records::turn_started(&context.gateway, &context.turn, message);
    context.record(record).await?;
    let report = recovery::recover(context, history, cut_off).await?;
    if matches!(opening, Opening::New | Opening::Again) {
        // The id of a message that came before was taken with its first entry.
        let step = Step {
            once: message.once().filter(|_| *opening == Opening::New),
            ..Step::default()
        };
        let kept = history.advance(context, message.entries(), step).await;
        kept.map_err(|failure| match failure {
            Failure::LedgerUnavailable(LedgerError::Repeated) => Failure::Duplicate,
            other => other,
        })?;
    }
    Ok(report)
}
