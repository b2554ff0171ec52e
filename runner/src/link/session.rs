//! One stream, from its first message to its last.

use std::sync::Arc;
use std::time::Duration;

use monstrum_service::Shutdown;
use monstrum_wire::runner::{FromRunner, ToRunner, to_runner::Message};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::calls::Calls;
use super::{End, Shared};
use crate::call::Judge;

/// How long the last results may take to reach the gateway.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long the effects of a broken stream may take to be stopped.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// One stream's state.
pub(super) struct Session {
    calls: Calls,
}

impl Session {
    /// A session that answers through `outbox`.
    pub(super) fn new(shared: &Shared, guardian: &Arc<dyn Judge>, outbox: mpsc::Sender<FromRunner>) -> Self {
        Self {
            calls: Calls::new(shared, Arc::clone(guardian), outbox),
        }
    }

    /// Executes what comes in until the stream ends; after a request to stop, until the running calls have ended.
    pub(super) async fn run(mut self, mut inbound: Streaming<ToRunner>, shutdown: &Shutdown) -> End {
        let mut stopping = shutdown.is_requested();
        loop {
            if stopping && self.calls.are_done() {
                return self.farewell(inbound).await;
            }
            tokio::select! {
                message = inbound.message() => match message {
                    Ok(Some(message)) => self.take(message, stopping).await,
                    Ok(None) => return self.broken(Status::unavailable("the gateway ended the stream")).await,
                    Err(status) => return self.broken(status).await,
                },
                done = self.calls.one_done() => self.calls.forget(done).await,
                () = shutdown.requested(), if !stopping => stopping = true,
            }
        }
    }

    async fn take(&mut self, message: ToRunner, stopping: bool) {
        match message.message {
            Some(Message::Execute(execute)) if stopping => self.calls.turn_away(execute.call_id).await,
            Some(Message::Execute(execute)) => self.calls.start(execute).await,
            Some(Message::Cancel(cancel)) => self.calls.cancel(&cancel.call_id),
            // A newer gateway's message; this runner can't know what it asks for.
            None => tracing::warn!("the gateway sent a message that this runner does not know"),
        }
    }

    async fn broken(self, status: Status) -> End {
        if timeout(CLEAN_UP, self.calls.abandon()).await.is_err() {
            tracing::error!("effects of a broken stream could not be stopped in time");
        }
        End::Lost(status)
    }

    /// Ends this side of the stream and lets the gateway take the last results.
    async fn farewell(self, mut inbound: Streaming<ToRunner>) -> End {
        drop(self.calls);
        let rest = async { while let Ok(Some(_)) = inbound.message().await {} };
        drop(timeout(FAREWELL, rest).await);
        End::Stopped
    }
}
