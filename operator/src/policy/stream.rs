//! One gateway's stream: hello, snapshots, renewals, acknowledgements.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use monstrum_service::{Peer, Shutdown};
use monstrum_wire::identity::BotId;
use monstrum_wire::policy::{
    Hello, Renewal, Roster, Snapshot, SubscribeRequest, SubscribeResponse, Version, subscribe_request,
    subscribe_response,
};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval_at};
use tonic::{Status, Streaming};

use super::hub::{Hub, News, Published, Refused, Session};
use super::places::Place;
use super::service::{denied, leading};
use crate::leadership::Leadership;
use crate::roster::Enrolled;

/// A gateway says hello first, and soon.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// A pod's name is no longer than this.
const MAX_REPLICA_NAME: usize = 253;

pub(super) struct PolicyStream {
    pub(super) hub: Arc<Hub>,
    pub(super) leadership: Leadership,
    pub(super) lease: Duration,
    pub(super) bot: BotId,
    pub(super) peer: Peer,
    pub(super) epoch: u64,
    pub(super) requests: Streaming<SubscribeRequest>,
    pub(super) responses: mpsc::Sender<Result<SubscribeResponse, Status>>,
    pub(super) _place: Place,
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
            .map_err(|refused| match refused {
                Refused::Unknown => denied(),
                Refused::Crowded => Status::resource_exhausted(refused.to_string()),
            })?;
        let first = session.current();
        self.refuse_older(hello.held, first.version)?;
        tracing::info!(bot = %self.bot.name, namespace = %self.bot.namespace, replica = %hello.replica, "gateway connected");
        let around = session.around();
        self.send_roster(&around.callers).await?;
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
                news = session.news() => self.tell(news, session).await?,
                _ = renewals.tick() => {
                    self.check_admitted()?;
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

    async fn tell(&self, news: News, session: &mut Session) -> Result<(), Status> {
        // Whoever is dismissed is told so by a policy that permits nothing, the last that it gets.
        if session.is_dismissed() {
            let last = session.current();
            self.send_roster(&[]).await?;
            self.send_snapshot(&last).await?;
            return Err(denied());
        }
        match news {
            News::Policy => {
                self.check_admitted()?;
                let published = session.current();
                self.send_snapshot(&published).await
            }
            News::Callers => {
                self.check_admitted()?;
                let around = session.around();
                self.send_roster(&around.callers).await
            }
            News::Superseded => Err(Status::aborted(
                "a later stream of this replica has taken its place",
            )),
        }
    }

    /// The certificate that the stream was opened with may have been replaced, and its overlap be over.
    fn check_admitted(&self) -> Result<(), Status> {
        if self.hub.rosters().admits(&self.peer) {
            return Ok(());
        }
        tracing::info!(caller = %self.peer.identity, serial = %self.peer.serial, "policy stream ended: the certificate is not good any more");
        Err(denied())
    }

    async fn send_roster(&self, callers: &[Enrolled]) -> Result<(), Status> {
        let now = Timestamp::now();
        self.send(subscribe_response::Message::Roster(Roster {
            namespace: self.bot.namespace.clone(),
            members: callers.iter().map(|caller| caller.told(now)).collect(),
        }))
        .await
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
