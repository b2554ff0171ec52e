//! One gateway's stream: hello, snapshots, renewals, acknowledgements.

use std::sync::Arc;
use std::time::Duration;

use monstrum_service::Shutdown;
use monstrum_wire::identity::BotName;
use monstrum_wire::policy::{
    Hello, Renewal, Snapshot, SubscribeRequest, SubscribeResponse, Version, subscribe_request,
    subscribe_response,
};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval_at};
use tonic::{Status, Streaming};

use super::hub::{Hub, Published, Session};
use super::service::leading;
use crate::leadership::Leadership;

/// A gateway says hello first, and soon.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// A pod's name is no longer than this.
const MAX_REPLICA_NAME: usize = 253;

pub(super) struct PolicyStream {
    pub(super) hub: Arc<Hub>,
    pub(super) leadership: Leadership,
    pub(super) lease: Duration,
    pub(super) bot: BotName,
    pub(super) epoch: u64,
    pub(super) requests: Streaming<SubscribeRequest>,
    pub(super) responses: mpsc::Sender<Result<SubscribeResponse, Status>>,
}

impl PolicyStream {
    /// Runs until either side ends it.
    pub(super) async fn run(mut self, shutdown: Shutdown) {
        let closed = self.responses.clone();
        let ended = tokio::select! {
            ended = self.converse() => ended,
            () = shutdown.requested() => Err(Status::unavailable("this operator is stopping")),
            () = closed.closed() => Ok(()),
        };
        if let Err(status) = ended {
            tracing::debug!(bot = %self.bot.name, namespace = %self.bot.namespace, status = %status, "policy stream ended");
            // A full buffer means that the gateway is not reading; it finds the stream ended.
            drop(self.responses.try_send(Err(status)));
        }
    }

    async fn converse(&mut self) -> Result<(), Status> {
        let hello = self.hello().await?;
        let mut session = self
            .hub
            .subscribe(&self.bot, &hello.replica)
            .ok_or_else(|| Status::resource_exhausted("too many gateways of this bot are connected"))?;
        let first = session.current();
        self.refuse_older(hello.held, first.version)?;
        tracing::info!(bot = %self.bot.name, namespace = %self.bot.namespace, replica = %hello.replica, "gateway connected");
        self.send_snapshot(&first).await?;
        self.follow(&mut session).await
    }

    async fn hello(&mut self) -> Result<Hello, Status> {
        let first = tokio::time::timeout(HELLO_WITHIN, self.requests.message())
            .await
            .map_err(|_| Status::deadline_exceeded("no hello came"))??;
        match first.and_then(|request| request.message) {
            Some(subscribe_request::Message::Hello(hello))
                if !hello.replica.is_empty() && hello.replica.len() <= MAX_REPLICA_NAME =>
            {
                Ok(hello)
            }
            Some(subscribe_request::Message::Hello(_)) => {
                Err(Status::invalid_argument("hello must name the replica"))
            }
            Some(subscribe_request::Message::Ack(_)) | None => {
                Err(Status::invalid_argument("the first message must be a hello"))
            }
        }
    }

    /// A gateway that holds a newer version has talked to a later leader: this one must not answer.
    fn refuse_older(&self, held: Option<Version>, ours: Version) -> Result<(), Status> {
        let Some(held) = held else { return Ok(()) };
        if (held.epoch, held.sequence) <= (ours.epoch, ours.sequence) {
            return Ok(());
        }
        tracing::error!(?held, ?ours, bot = %self.bot.name, "a gateway holds a newer policy than this leader's");
        Err(Status::failed_precondition("the gateway holds a newer policy"))
    }

    async fn follow(&mut self, session: &mut Session) -> Result<(), Status> {
        let every = self.lease.checked_div(4).unwrap_or(self.lease);
        let start = tokio::time::Instant::now()
            .checked_add(every)
            .unwrap_or_else(tokio::time::Instant::now);
        let mut renewals = interval_at(start, every);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = session.changed() => {
                    if !changed {
                        return Ok(());
                    }
                    let published = session.current();
                    self.send_snapshot(&published).await?;
                }
                _ = renewals.tick() => {
                    let published = session.current();
                    self.send_renewal(&published).await?;
                }
                request = self.requests.message() => match request?.map(|request| request.message) {
                    None => return Ok(()),
                    Some(Some(subscribe_request::Message::Ack(ack))) => session.acknowledge(ack),
                    Some(Some(subscribe_request::Message::Hello(_)) | None) => {
                        return Err(Status::invalid_argument("after the hello only acknowledgements follow"));
                    }
                },
            }
        }
    }

    async fn send_snapshot(&self, published: &Published) -> Result<(), Status> {
        self.send(subscribe_response::Message::Snapshot(Snapshot {
            version: Some(published.version),
            digest: published.digest.clone(),
            permissions: published.permissions.clone(),
            settings: Some(published.settings.clone()),
            lease_seconds: self.lease_seconds(),
        }))
        .await
    }

    async fn send_renewal(&self, published: &Published) -> Result<(), Status> {
        self.send(subscribe_response::Message::Renewal(Renewal {
            version: Some(published.version),
            digest: published.digest.clone(),
            lease_seconds: self.lease_seconds(),
        }))
        .await
    }

    /// Sends only while the term that the stream began in lasts.
    async fn send(&self, message: subscribe_response::Message) -> Result<(), Status> {
        if leading(&self.hub, &self.leadership)? != self.epoch {
            return Err(Status::unavailable("another term has begun"));
        }
        let response = SubscribeResponse {
            message: Some(message),
        };
        self.responses
            .send(Ok(response))
            .await
            .map_err(|_| Status::cancelled("the gateway left"))
    }

    fn lease_seconds(&self) -> u32 {
        u32::try_from(self.lease.as_secs()).unwrap_or(u32::MAX)
    }
}
