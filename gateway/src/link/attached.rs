//! One runner's stream, and the calls that run on it.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use monstrum_guardian::decision::Reservation;
use monstrum_scrub::Tainted;
use monstrum_service::Peer;
use monstrum_wire::runner::{
    Cancel, Execute, FailureKind, Finished, FromRunner, OutputChunk, RunnerHello, ToRunner, finished,
    from_runner, to_runner,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// Orders that may wait for a runner to read them.
pub(super) const MAX_ORDERS: usize = 64;
/// Pieces of output that may wait for the turn to take them; then this runner's stream waits.
const MAX_PIECES: usize = 32;

/// Effects of one call that are decided on; more than any executor asks for.
const MAX_EFFECTS: u32 = 16;

/// What the stream to a runner carries.
pub(super) type Order = Result<ToRunner, Status>;

/// A runner's stream.
#[derive(Debug)]
pub struct Attached {
    runner: String,
    peer: Peer,
    executors: BTreeSet<String>,
    /// Taken out on detaching, which ends the stream.
    orders: Mutex<Option<mpsc::Sender<Order>>>,
    calls: Mutex<HashMap<String, Listening>>,
    /// No further call is given to it.
    retired: AtomicBool,
    gone: CancellationToken,
}

/// Where a call's turn listens.
#[derive(Debug)]
struct Listening {
    sender: mpsc::Sender<FromCall>,
    /// So many of its effects were asked about.
    effects: u32,
    reserved: Arc<[Reservation]>,
}

/// Something that a running call wants to do and that only appeared while it ran.
#[derive(Debug, Clone)]
pub struct Effect {
    /// Which one of its call, from 1.
    pub number: u32,
    /// What its call has reserved.
    pub reserved: Arc<[Reservation]>,
}

/// What a runner says of one call.
#[derive(Debug, Clone)]
pub enum FromCall {
    /// Output, in order.
    Chunk(Tainted),
    /// The end, if the runner said which.
    Finished(Option<Ending>),
}

/// How a runner says that a call ended.
#[derive(Debug, Clone)]
pub enum Ending {
    /// It was performed.
    Success {
        /// What comes after the chunks.
        content: Tainted,
        /// More existed.
        truncated: bool,
        /// Whether the content is meant to be an image.
        is_image: bool,
        /// A JSON object.
        facts: Tainted,
    },
    /// It failed.
    Failure {
        /// What sort of failure.
        kind: FailureKind,
        /// One sentence.
        message: Tainted,
        /// When the target wants to be asked again; 0 when unknown.
        retry_after_seconds: u32,
        /// A JSON object.
        facts: Tainted,
    },
}

impl From<finished::Outcome> for Ending {
    fn from(outcome: finished::Outcome) -> Self {
        match outcome {
            finished::Outcome::Success(success) => Self::Success {
                content: success.content.into(),
                truncated: success.truncated,
                is_image: !success.media_type.is_empty(),
                facts: success.facts_json.into(),
            },
            finished::Outcome::Failure(failure) => Self::Failure {
                kind: failure.kind(),
                message: failure.message.into(),
                retry_after_seconds: failure.retry_after_seconds,
                facts: failure.facts_json.into(),
            },
        }
    }
}

/// What is heard of a running call.
#[derive(Debug, Clone)]
pub enum Heard {
    /// From the runner.
    Said(FromCall),
    /// The runner is gone; nobody knows how the call ended.
    Lost,
}

/// The call did not reach the runner: it has had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the runner went away before the call reached it")]
pub struct NotSent;

/// A call that was handed to a runner.
#[derive(Debug)]
pub struct Running {
    call_id: String,
    attached: Arc<Attached>,
    pieces: mpsc::Receiver<FromCall>,
}

impl Attached {
    pub(super) fn new(runner: String, peer: Peer, hello: RunnerHello, orders: mpsc::Sender<Order>) -> Self {
        Self {
            runner,
            peer,
            executors: hello.executors.into_iter().collect(),
            orders: Mutex::new(Some(orders)),
            calls: Mutex::default(),
            retired: AtomicBool::new(false),
            gone: CancellationToken::new(),
        }
    }

    /// The runner's name, from its certificate.
    pub fn runner(&self) -> &str {
        &self.runner
    }

    /// Who attached, and by which certificate.
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(super) fn has(&self, executor: &str) -> bool {
        self.executors.contains(executor)
    }

    pub(super) fn takes_calls(&self) -> bool {
        !self.gone.is_cancelled() && !self.retired.load(Ordering::Acquire)
    }

    /// Lets the calls that run end, and then the stream.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
        self.detach_if_done();
    }

    fn detach_if_done(&self) {
        if self.retired.load(Ordering::Acquire) && self.calls().is_empty() {
            self.detach();
        }
    }

    pub(super) fn load(&self) -> usize {
        self.calls().len()
    }

    /// One more effect of a call, if this runner runs it and has not asked about too many of them.
    pub(super) fn effect(&self, call_id: &str) -> Option<Effect> {
        let mut calls = self.calls();
        let call = calls.get_mut(call_id)?;
        call.effects = call.effects.saturating_add(1);
        (call.effects <= MAX_EFFECTS).then(|| Effect {
            number: call.effects,
            reserved: Arc::clone(&call.reserved),
        })
    }

    /// Hands a call over, for which so much is reserved.
    pub async fn start(
        self: &Arc<Self>,
        execute: Execute,
        reserved: &[Reservation],
    ) -> Result<Running, NotSent> {
        let (sender, pieces) = mpsc::channel(MAX_PIECES);
        let call_id = execute.call_id.clone();
        let listening = Listening {
            sender,
            effects: 0,
            reserved: reserved.into(),
        };
        self.calls().insert(call_id.clone(), listening);
        // From here on the call is taken out again when this value is dropped.
        let running = Running {
            call_id,
            attached: Arc::clone(self),
            pieces,
        };
        let orders = self.orders().clone().ok_or(NotSent)?;
        let order = ToRunner {
            message: Some(to_runner::Message::Execute(execute)),
        };
        tokio::select! {
            biased;
            () = self.gone.cancelled() => Err(NotSent),
            sent = orders.send(Ok(order)) => sent.map(|()| running).map_err(|_| NotSent),
        }
    }

    /// Takes one message of the runner; waits while the call's turn is behind.
    pub(super) async fn hear(&self, message: FromRunner) {
        let (call_id, piece) = match message.message {
            Some(from_runner::Message::Chunk(OutputChunk { call_id, data })) => {
                (call_id, FromCall::Chunk(data.into()))
            }
            Some(from_runner::Message::Finished(Finished { call_id, outcome })) => {
                (call_id, FromCall::Finished(outcome.map(Ending::from)))
            }
            Some(from_runner::Message::Hello(_)) | None => return,
        };
        let sender = self.calls().get(&call_id).map(|call| call.sender.clone());
        // A call that nobody waits for any more is nobody's news.
        if let Some(sender) = sender {
            drop(sender.send(piece).await);
        }
    }

    /// Ends the stream; every running call is lost.
    pub(super) fn detach(&self) {
        self.orders().take();
        self.gone.cancel();
    }

    /// Resolves when the stream has ended.
    pub(super) async fn gone(&self) {
        self.gone.cancelled().await;
    }

    fn cancel(&self, call_id: &str) {
        let order = ToRunner {
            message: Some(to_runner::Message::Cancel(Cancel {
                call_id: call_id.to_owned(),
            })),
        };
        let orders = self.orders().clone();
        // A runner whose orders pile up ends the call by its own time limit.
        if orders.is_some_and(|orders| orders.try_send(Ok(order)).is_err()) {
            tracing::debug!(call_id, "a cancellation found no room");
        }
    }

    fn orders(&self) -> MutexGuard<'_, Option<mpsc::Sender<Order>>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<String, Listening>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// What comes next. What was said before the runner went away is heard first.
    pub async fn next(&mut self) -> Heard {
        tokio::select! {
            biased;
            piece = self.pieces.recv() => piece.map_or(Heard::Lost, Heard::Said),
            () = self.attached.gone.cancelled() => self.pieces.try_recv().map_or(Heard::Lost, Heard::Said),
        }
    }

    /// Asks the runner to stop; it still says how the call ended.
    pub fn cancel(&self) {
        self.attached.cancel(&self.call_id);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.attached.calls().remove(&self.call_id);
        self.attached.detach_if_done();
    }
}
