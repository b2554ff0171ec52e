//! The calls of one stream, each in a task of its own, bounded in number.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use monstrum_wire::runner as wire;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use wire::finished::Outcome as Ending;
use wire::from_runner::Message;
use wire::{Execute, Finished, FromRunner};

use super::Shared;
use crate::call::{Call, Failure, Judge, Outcome, Output};
use crate::executor::Executors;
use crate::metrics::Metrics;

/// The room that a runner has for calls, whichever gateway they come from.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    taken_in: Arc<Semaphore>,
    running: Arc<Semaphore>,
    most: usize,
}

impl Room {
    /// For `concurrency` calls that run, and as many that wait.
    pub(crate) fn new(concurrency: usize) -> Self {
        let most = concurrency.saturating_mul(2);
        Self {
            taken_in: Arc::new(Semaphore::new(most)),
            running: Arc::new(Semaphore::new(concurrency)),
            most,
        }
    }
}

/// The calls of one stream that run or wait.
pub(super) struct Calls {
    executors: Arc<Executors>,
    metrics: Metrics,
    room: Room,
    guardian: Arc<dyn Judge>,
    outbox: mpsc::Sender<FromRunner>,
    cancelled: CancellationToken,
    tasks: JoinSet<()>,
    running: HashMap<String, CancellationToken>,
    names: HashMap<Id, String>,
}

/// A task that has ended.
pub(super) struct Done {
    id: Id,
    failed: bool,
}

impl Calls {
    /// None yet.
    pub(super) fn new(shared: &Shared, guardian: Arc<dyn Judge>, outbox: mpsc::Sender<FromRunner>) -> Self {
        Self {
            executors: Arc::clone(&shared.executors),
            metrics: shared.metrics.clone(),
            room: shared.room.clone(),
            guardian,
            outbox,
            cancelled: CancellationToken::new(),
            tasks: JoinSet::new(),
            running: HashMap::new(),
            names: HashMap::new(),
        }
    }

    /// Whether none runs.
    pub(super) fn are_done(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Starts a call, or says why not.
    pub(super) async fn start(&mut self, execute: Execute) {
        if self.running.contains_key(&execute.call_id) {
            // The one that runs will answer; a second effect must not happen.
            tracing::error!(call = %execute.call_id, "the gateway sent a call twice");
            return;
        }
        let (call_id, executor) = (execute.call_id.clone(), execute.executor.clone());
        let Ok(place) = Arc::clone(&self.room.taken_in).try_acquire_owned() else {
            let busy = format!("the runner is busy with {} calls; try again", self.room.most);
            self.answer(call_id, &executor, Err(Failure::internal(busy)))
                .await;
            return;
        };
        let token = self.cancelled.child_token();
        match Call::new(execute, token.clone()) {
            Ok(call) => self.spawn(call.judged_by(Arc::clone(&self.guardian)), token, place),
            Err(failure) => self.answer(call_id, &executor, Err(failure)).await,
        }
    }

    /// Refuses a call because the process stops.
    pub(super) async fn turn_away(&self, call_id: String) {
        let failure = Failure::cancelled("the runner is stopping; nothing was done");
        self.answer(call_id, "", Err(failure)).await;
    }

    /// Ends a call early. One that has ended already is none of ours.
    pub(super) fn cancel(&self, call_id: &str) {
        if let Some(token) = self.running.get(call_id) {
            token.cancel();
        }
    }

    /// Resolves when a call's task has ended; never while none runs. Nothing is lost when it is dropped before.
    pub(super) async fn one_done(&mut self) -> Done {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => Done { id, failed: false },
            Some(Err(error)) => Done {
                id: error.id(),
                failed: true,
            },
            None => std::future::pending().await,
        }
    }

    /// Forgets a call whose task has ended, and answers for one that could not.
    pub(super) async fn forget(&mut self, done: Done) {
        let Some(call_id) = self.names.remove(&done.id) else {
            return;
        };
        self.running.remove(&call_id);
        if done.failed {
            tracing::error!(call = %call_id, "a call ended by a fault of the runner");
            self.answer(
                call_id,
                "",
                Err(Failure::internal("the call ended by a fault of the runner")),
            )
            .await;
        }
    }

    /// Stops all effects and drops their results.
    pub(super) async fn abandon(mut self) {
        self.cancelled.cancel();
        while self.tasks.join_next().await.is_some() {}
    }

    async fn answer(&self, call_id: String, executor: &str, outcome: Outcome) {
        self.metrics
            .finished(executor, &outcome, std::time::Duration::ZERO);
        finish(&self.outbox, call_id, outcome).await;
    }

    fn spawn(&mut self, call: Call, token: CancellationToken, place: OwnedSemaphorePermit) {
        let call_id = call.id.clone();
        let span = tracing::info_span!(
            "call", call = %call.id, executor = %call.executor, tool = %call.tool, trace = %call.trace
        );
        let work = work(
            call,
            Arc::clone(&self.executors),
            Arc::clone(&self.room.running),
            self.metrics.clone(),
            self.outbox.clone(),
        );
        let work = async move {
            work.await;
            drop(place);
        };
        let handle = self.tasks.spawn(work.instrument(span));
        self.names.insert(handle.id(), call_id.clone());
        self.running.insert(call_id, token);
    }
}

async fn work(
    call: Call,
    executors: Arc<Executors>,
    slots: Arc<Semaphore>,
    metrics: Metrics,
    outbox: mpsc::Sender<FromRunner>,
) {
    let output = Output::new(&call, outbox.clone());
    let began = Instant::now();
    let slot = call.within(async {
        slots
            .acquire()
            .await
            .map_err(|_| Failure::internal("the runner is stopping"))
    });
    let mut outcome = match slot.await {
        Ok(_slot) => {
            let _running = metrics.started();
            executors.execute(&call, &output).await
        }
        Err(failure) => Err(failure),
    };
    metrics.finished(&call.executor, &outcome, began.elapsed());
    log(&outcome, began);
    if let Ok(success) = &mut outcome
        && success.media_type.is_empty()
    {
        // Gone means that nobody is left to be told.
        let _ = output.send_ahead(&mut success.content).await;
    }
    finish(&outbox, call.id.clone(), outcome).await;
}

/// Never the message of a failure: it may hold words of the upstream.
fn log(outcome: &Outcome, began: Instant) {
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Ok(success) => tracing::info!(took_ms, truncated = success.truncated, "call performed"),
        Err(failure) => tracing::info!(took_ms, kind = ?failure.kind, "call failed"),
    }
}

async fn finish(outbox: &mpsc::Sender<FromRunner>, call_id: String, outcome: Outcome) {
    let ending = match outcome {
        Ok(success) => Ending::Success(success.into()),
        Err(failure) => Ending::Failure(failure.into()),
    };
    let message = Message::Finished(Finished {
        call_id,
        outcome: Some(ending),
    });
    // A closed outbox is a broken stream: the gateway reports the call as unknown.
    drop(
        outbox
            .send(FromRunner {
                message: Some(message),
            })
            .await,
    );
}
