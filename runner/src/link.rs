//! The stream to the gateway: attached, kept, and attached again.
//!
//! Nothing survives a broken stream. The gateway reports the calls that were running as unknown, so their effects are
//! stopped and their results dropped; a new stream begins empty.

mod backoff;
mod calls;
mod session;

use std::sync::Arc;

use monstrum_service::{Readiness, Shutdown};
use monstrum_wire::runner::from_runner::Message;
use monstrum_wire::runner::link_client::LinkClient;
use monstrum_wire::runner::{FromRunner, RunnerHello, ToRunner};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

use crate::executor::Executors;
use crate::metrics::Metrics;
use backoff::Backoff;
use session::Session;

/// How many messages wait for a gateway that reads slowly.
const OUTBOX: usize = 16;
/// Why the process is not ready.
const UNREADY: &str = "not attached to the gateway";
/// The largest call that a gateway can send.
const LARGEST_MESSAGE: usize = 4 * 1024 * 1024;

/// What a link is told when it is made.
#[derive(Debug, Clone)]
pub struct LinkSettings {
    /// The pod's name.
    pub replica: String,
    /// How many calls run at the same time.
    pub concurrency: usize,
}

/// The link to one gateway.
pub struct Link {
    client: LinkClient<Channel>,
    executors: Arc<Executors>,
    settings: LinkSettings,
    metrics: Metrics,
}

/// Why a session ended.
enum End {
    /// This process stops, and its calls have ended.
    Stopped,
    /// The stream broke, or could not be made.
    Lost(tonic::Status),
}

impl Link {
    /// A link over `channel`, which connects when it is first used.
    pub fn new(
        channel: Channel,
        executors: Arc<Executors>,
        settings: LinkSettings,
        metrics: Metrics,
    ) -> Self {
        let client = LinkClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
        Self {
            client,
            executors,
            settings,
            metrics,
        }
    }

    /// Attaches, and attaches again whenever the stream breaks, until the process stops. Ready while attached.
    pub async fn run(&self, readiness: &Readiness, shutdown: &Shutdown) {
        let mut backoff = Backoff::default();
        let mut unready = readiness.block(UNREADY);
        while !shutdown.is_requested() {
            let end = match self.attach(shutdown).await {
                Ok((session, inbound)) => {
                    unready.release();
                    let end = self.keep(session, inbound, shutdown, &mut backoff).await;
                    unready = readiness.block(UNREADY);
                    end
                }
                Err(end) => end,
            };
            let End::Lost(status) = end else { return };
            let wait = backoff.next();
            tracing::warn!(
                code = ?status.code(),
                error = status.message(),
                retry_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                "not attached to the gateway"
            );
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.requested() => return,
            }
        }
    }

    async fn attach(&self, shutdown: &Shutdown) -> Result<(Session, Streaming<ToRunner>), End> {
        let (outbox, messages) = mpsc::channel(OUTBOX);
        // Can't fail: the channel is new and has room.
        drop(outbox.try_send(self.hello()));
        let mut client = self.client.clone();
        let attached = tokio::select! {
            attached = client.attach(ReceiverStream::new(messages)) => attached,
            () = shutdown.requested() => return Err(End::Stopped),
        };
        let inbound = attached.map_err(End::Lost)?.into_inner();
        Ok((
            Session::new(&self.executors, &self.metrics, self.settings.concurrency, outbox),
            inbound,
        ))
    }

    async fn keep(
        &self,
        session: Session,
        inbound: Streaming<ToRunner>,
        shutdown: &Shutdown,
        backoff: &mut Backoff,
    ) -> End {
        tracing::info!("attached to the gateway");
        self.metrics.attached();
        backoff.attached();
        let end = session.run(inbound, shutdown).await;
        self.metrics.detached();
        backoff.detached();
        end
    }

    fn hello(&self) -> FromRunner {
        let hello = RunnerHello {
            executors: self.executors.names(),
            replica: self.settings.replica.clone(),
        };
        FromRunner {
            message: Some(Message::Hello(hello)),
        }
    }
}
