//! One gateway's stream: hello, snapshots, renewals, acknowledgements.

use std::time::Duration;

use monstrum_service::Shutdown;
use monstrum_wire::identity::BotName;
use monstrum_wire::policy::{
    Hello, Renewal, Snapshot, SubscribeRequest, SubscribeResponse, Version, subscribe_request,
    subscribe_response,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tonic::{Status, Streaming};

use super::hub::{Published, Session};
use super::mandate::Mandate;

/// A gateway says hello first, and soon.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether something is to be sent.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A pod's name is no longer than this.
const MAX_REPLICA_NAME: usize = 253;

pub(super) struct PolicyStream {
    pub(super) mandate: Mandate,
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
            .mandate
            .hub
            .subscribe(&self.bot, &hello.replica)
            .ok_or_else(|| Status::resource_exhausted("too many gateways of this bot are connected"))?;
        let first = session.current();
        self.refuse_older(hello.held, first.version)?;
        tracing::info!(bot = %self.bot.name, namespace = %self.bot.namespace, replica = %hello.replica, "gateway connected");
        let sent = self.send(&first, None).await?;
        self.follow(&mut session, sent).await
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

    /// Sends what is new, and renews what was sent, for as long as it is known to be current.
    async fn follow(&mut self, session: &mut Session, mut sent: Option<Sent>) -> Result<(), Status> {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = session.changed() => {
                    if !changed {
                        return Ok(());
                    }
                    let published = session.current();
                    sent = self.send(&published, sent).await?;
                }
                _ = looks.tick() => {
                    let published = session.current();
                    if sent.is_none_or(|sent| sent.is_due(&published)) {
                        sent = self.send(&published, sent).await?;
                    }
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

    /// Sends a policy, or renews it when it was the last that was sent. What is not known to be current is not sent, and
    /// so runs out where it is held.
    async fn send(&self, published: &Published, before: Option<Sent>) -> Result<Option<Sent>, Status> {
        if self.mandate.epoch()? != self.epoch {
            return Err(Status::unavailable("another term has begun"));
        }
        let Ok(lease) = self.mandate.lease(&self.bot.namespace) else {
            return Ok(before);
        };
        let renewed = before.is_some_and(|before| before.version == published.version);
        let message = if renewed {
            subscribe_response::Message::Renewal(Renewal {
                version: Some(published.version),
                digest: published.digest.clone(),
                lease_seconds: lease.seconds(),
            })
        } else {
            subscribe_response::Message::Snapshot(Snapshot {
                version: Some(published.version),
                digest: published.digest.clone(),
                permissions: published.permissions.clone(),
                settings: Some(published.settings.clone()),
                lease_seconds: lease.seconds(),
            })
        };
        let at = Instant::now();
        self.respond(message).await?;
        Ok(Some(Sent {
            version: published.version,
            at,
            lease: lease.left,
        }))
    }

    async fn respond(&self, message: subscribe_response::Message) -> Result<(), Status> {
        let response = SubscribeResponse {
            message: Some(message),
        };
        self.responses
            .send(Ok(response))
            .await
            .map_err(|_| Status::cancelled("the gateway left"))
    }
}

/// What a gateway was last sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    version: Version,
    at: Instant,
    lease: Duration,
}

impl Sent {
    /// Whether something is to be sent: another policy, or a renewal, which comes four times in each lease.
    fn is_due(&self, published: &Published) -> bool {
        let quarter = self.lease.checked_div(4).unwrap_or(self.lease);
        self.version != published.version || self.at.elapsed() >= quarter
    }
}
