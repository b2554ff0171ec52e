//! The stream to one gateway: attached, kept, and attached again.
//!
//! Nothing survives a broken stream. The gateway reports the calls that were running as unknown, so their effects are
//! stopped and their results dropped; a new stream begins empty.

mod calls;
mod guardian;
mod session;

use std::sync::Arc;
use std::time::Duration;

use monstrum_service::{Channel, Shutdown};
use monstrum_wire::runner::from_runner::Message;
use monstrum_wire::runner::link_client::LinkClient;
use monstrum_wire::runner::{FromRunner, RunnerHello, ToRunner};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::backoff::Backoff;
use crate::call::Judge;
use crate::executor::Executors;
use crate::metrics::Metrics;
use crate::presence::Presence;
pub(crate) use calls::Room;
use guardian::Guardian;
use session::Session;

/// How many messages wait for a gateway that reads slowly.
const OUTBOX: usize = 16;
/// The largest call that a gateway can send.
const LARGEST_MESSAGE: usize = 4 * 1024 * 1024;

/// What all links of a runner share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) executors: Arc<Executors>,
    pub(crate) room: Room,
    /// The pod's name.
    pub(crate) replica: String,
    pub(crate) metrics: Metrics,
    pub(crate) presence: Presence,
}

/// The link to one gateway.
pub(crate) struct Link {
    /// Where the gateway is, for the log.
    address: String,
    client: LinkClient<Channel>,
    /// Of the same gateway.
    guardian: Arc<dyn Judge>,
    shared: Shared,
    /// Whether the gateway is still one of the bot's.
    wanted: watch::Receiver<bool>,
}

/// Why a session ended.
enum End {
    /// This process stops, and its calls have ended; or the gateway is gone.
    Stopped,
    /// The stream broke, or could not be made.
    Lost(tonic::Status),
}

impl Link {
    /// A link over `channel`, which connects when it is first used.
    pub(crate) fn new(
        address: String,
        channel: Channel,
        shared: Shared,
        wanted: watch::Receiver<bool>,
    ) -> Self {
        let guardian = Arc::new(Guardian::new(channel.clone()));
        let client = LinkClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
        Self {
            address,
            client,
            guardian,
            shared,
            wanted,
        }
    }

    /// Attaches, and attaches again whenever the stream breaks, until the process stops or the gateway is no longer
    /// wanted. A stream that holds is kept: a gateway that drains has turns to end.
    pub(crate) async fn run(mut self, shutdown: &Shutdown) {
        let mut backoff = Backoff::default();
        while !shutdown.is_requested() && *self.wanted.borrow() {
            let end = match self.attach(shutdown).await {
                Ok((session, inbound)) => self.keep(session, inbound, shutdown, &mut backoff).await,
                Err(end) => end,
            };
            let End::Lost(status) = end else { return };
            let wait = backoff.next();
            self.log_lost(&status, wait);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.requested() => return,
                () = unwanted(&mut self.wanted) => return,
            }
        }
    }

    async fn attach(&mut self, shutdown: &Shutdown) -> Result<(Session, Streaming<ToRunner>), End> {
        let (outbox, messages) = mpsc::channel(OUTBOX);
        // Can't fail: the channel is new and has room.
        drop(outbox.try_send(self.hello()));
        let mut client = self.client.clone();
        let attached = tokio::select! {
            attached = client.attach(ReceiverStream::new(messages)) => attached,
            () = shutdown.requested() => return Err(End::Stopped),
            () = unwanted(&mut self.wanted) => return Err(End::Stopped),
        };
        let inbound = attached.map_err(End::Lost)?.into_inner();
        let shared = &self.shared;
        Ok((Session::new(shared, &self.guardian, outbox), inbound))
    }

    async fn keep(
        &self,
        session: Session,
        inbound: Streaming<ToRunner>,
        shutdown: &Shutdown,
        backoff: &mut Backoff,
    ) -> End {
        tracing::info!(gateway = %self.address, "attached to a gateway");
        let attached = self.shared.presence.enter();
        self.shared.metrics.attached();
        backoff.attached();
        let end = session.run(inbound, shutdown).await;
        self.shared.metrics.detached();
        drop(attached);
        backoff.detached();
        end
    }

    fn hello(&self) -> FromRunner {
        let hello = RunnerHello {
            executors: self.shared.executors.names(),
            replica: self.shared.replica.clone(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        FromRunner {
            message: Some(Message::Hello(hello)),
        }
    }

    fn log_lost(&self, status: &tonic::Status, wait: Duration) {
        tracing::warn!(
            gateway = %self.address,
            code = ?status.code(),
            error = status.message(),
            retry_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "not attached to a gateway"
        );
    }
}

/// Resolves when the gateway is no longer wanted, and when nobody is left to say so.
async fn unwanted(wanted: &mut watch::Receiver<bool>) {
    drop(wanted.wait_for(|wanted| !wanted).await);
}
