//! One gateway's stream: hello, snapshots, renewals, acknowledgements.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use monstrum_service::{Peer, Shutdown};
use monstrum_wire::identity::BotId;
use monstrum_wire::policy::{
    Hello, Renewal, Roster, Snapshot, SubscribeRequest, SubscribeResponse, Version, subscribe_request,
    subscribe_response,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tonic::{Status, Streaming};

use super::hub::{News, Published, Refused, Session};
use super::mandate::Mandate;
use super::places::Place;
use super::service::denied;
use crate::roster::Enrolled;

/// A gateway says hello first, and soon.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether something is to be sent.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A pod's name is no longer than this.
const MAX_REPLICA_NAME: usize = 253;
/// Characters of a program's version.
const MAX_PROGRAM: usize = 64;

pub(super) struct PolicyStream {
    pub(super) mandate: Mandate,
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
            .mandate
            .hub
            .subscribe(&self.bot, &hello.replica)
            .map_err(|refused| match refused {
                Refused::Unknown => denied(),
                Refused::Crowded => Status::resource_exhausted(refused.to_string()),
            })?;
        let first = session.current();
        self.refuse_older(hello.held, first.version)?;
        session.runs(&hello.program);
        tracing::info!(
            bot = %self.bot.name, namespace = %self.bot.namespace, replica = %hello.replica, program = %hello.program,
            "gateway connected"
        );
        let around = session.around();
        self.send_roster(&around.callers).await?;
        let sent = self.send_policy(&first, None).await?;
        self.follow(&mut session, sent).await
    }

    async fn hello(&mut self) -> Result<Hello, Status> {
        let first = tokio::time::timeout(HELLO_WITHIN, self.requests.message())
            .await
            .map_err(|_| Status::deadline_exceeded("no hello came"))??;
        match first.and_then(|request| request.message) {
            Some(subscribe_request::Message::Hello(hello))
                if !hello.replica.is_empty()
                    && hello.replica.len() <= MAX_REPLICA_NAME
                    && hello.program.len() <= MAX_PROGRAM =>
            {
                Ok(hello)
            }
            Some(subscribe_request::Message::Hello(_)) => Err(Status::invalid_argument(
                "hello must name the replica, and its version in a few words",
            )),
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
                news = session.news() => sent = self.tell(news, session, sent).await?,
                _ = looks.tick() => {
                    if session.is_dismissed() {
                        return Err(self.dismiss(session).await?);
                    }
                    let published = session.current();
                    if sent.is_none_or(|sent| sent.is_due(&published)) {
                        self.check_admitted()?;
                        sent = self.send_policy(&published, sent).await?;
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

    async fn tell(
        &self,
        news: News,
        session: &mut Session,
        sent: Option<Sent>,
    ) -> Result<Option<Sent>, Status> {
        if session.is_dismissed() {
            return Err(self.dismiss(session).await?);
        }
        match news {
            News::Policy => {
                self.check_admitted()?;
                let published = session.current();
                self.send_policy(&published, sent).await
            }
            News::Callers => {
                self.check_admitted()?;
                let around = session.around();
                self.send_roster(&around.callers).await?;
                Ok(sent)
            }
            News::Superseded => Err(Status::aborted(
                "a later stream of this replica has taken its place",
            )),
        }
    }

    /// Whoever is dismissed is told so by a policy that permits nothing, the last that it gets, before the stream ends.
    async fn dismiss(&self, session: &mut Session) -> Result<Status, Status> {
        let last = session.current();
        self.send_roster(&[]).await?;
        self.send_last(&last).await?;
        Ok(denied())
    }

    /// The certificate that the stream was opened with may have been replaced, and its overlap be over.
    fn check_admitted(&self) -> Result<(), Status> {
        if self.mandate.hub.rosters().admits(&self.peer) {
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

    /// Sends a policy, or renews it when it was the last that was sent. What is not known to be current is not sent, and
    /// so runs out where it is held.
    async fn send_policy(&self, published: &Published, before: Option<Sent>) -> Result<Option<Sent>, Status> {
        let Ok(lease) = self.mandate.lease(&self.bot.namespace) else {
            self.check_term()?;
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
            snapshot(published, lease.seconds())
        };
        let at = Instant::now();
        self.send(message).await?;
        Ok(Some(Sent {
            version: published.version,
            at,
            lease: lease.left,
        }))
    }

    /// Sends what permits nothing, which needs nobody's leave and may hold for ever.
    async fn send_last(&self, published: &Published) -> Result<(), Status> {
        let lease = self.mandate.lease(&self.bot.namespace);
        let seconds = lease.map_or(1, |lease| lease.seconds());
        self.send(snapshot(published, seconds)).await
    }

    /// The term that the stream began in must last.
    fn check_term(&self) -> Result<(), Status> {
        if self.mandate.epoch()? == self.epoch {
            return Ok(());
        }
        Err(Status::unavailable("another term has begun"))
    }

    async fn send(&self, message: subscribe_response::Message) -> Result<(), Status> {
        self.check_term()?;
        let response = SubscribeResponse {
            message: Some(message),
        };
        self.responses
            .send(Ok(response))
            .await
            .map_err(|_| Status::cancelled("the gateway left"))
    }
}

fn snapshot(published: &Published, lease_seconds: u32) -> subscribe_response::Message {
    subscribe_response::Message::Snapshot(Snapshot {
        version: Some(published.version),
        digest: published.digest.clone(),
        permissions: published.permissions.clone(),
        settings: Some(published.settings.clone()),
        lease_seconds,
    })
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
