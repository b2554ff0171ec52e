//! `monstrum.policy.v1.Enrolment`: who lives, told to the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use monstrum_service::{Peer, Service, Shutdown, peer};
use monstrum_wire::identity::Identity;
use monstrum_wire::policy::enrolment_server::Enrolment;
use monstrum_wire::policy::{FollowRequest, FollowResponse, Roster};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::MissedTickBehavior;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::mandate::{Lease, Mandate};
use crate::roster::{Enrolled, Members};

/// Streams at once: more than an installation has ledgers.
const MOST: usize = 16;
/// Messages that wait for a ledger to read them.
const BUFFER: usize = 2;

/// Says who lives while this process leads.
#[derive(Clone)]
pub struct EnrolmentService {
    mandate: Mandate,
    service: Service,
    places: Arc<Semaphore>,
}

impl EnrolmentService {
    /// A service whose word holds for as long as `mandate` says.
    pub fn new(mandate: Mandate, service: Service) -> Self {
        Self {
            mandate,
            service,
            places: Arc::new(Semaphore::new(MOST)),
        }
    }
}

#[tonic::async_trait]
impl Enrolment for EnrolmentService {
    type FollowStream = ReceiverStream<Result<FollowResponse, Status>>;

    async fn follow(&self, request: Request<FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        let peer = peer(&request)?;
        if peer.identity != Identity::Ledger {
            tracing::warn!(caller = %peer.identity, "roster refused: not the ledger");
            return Err(denied());
        }
        let epoch = self.mandate.lease_of_all()?.epoch;
        if !self.mandate.hub.rosters().admits(&peer) {
            return Err(denied());
        }
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Status::resource_exhausted("too many ledgers are connected"))?;
        let (responses, stream) = mpsc::channel(BUFFER);
        let following = Following {
            mandate: self.mandate.clone(),
            epoch,
            peer,
            sent: None,
            responses,
            _place: place,
        };
        tracing::info!(replica = %request.get_ref().replica, "ledger connected");
        self.service
            .spawn_quiet("enrolment", following.run(self.service.shutdown()));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

fn denied() -> Status {
    Status::permission_denied("only the ledger is told who lives")
}

/// One ledger's stream.
struct Following {
    mandate: Mandate,
    epoch: u64,
    peer: Peer,
    /// What it was told; nothing before the first message.
    sent: Option<BTreeMap<String, Members>>,
    responses: mpsc::Sender<Result<FollowResponse, Status>>,
    _place: OwnedSemaphorePermit,
}

impl Following {
    async fn run(mut self, shutdown: Shutdown) {
        let responses = self.responses.clone();
        let Err(status) = tokio::select! {
            ended = self.tell() => ended,
            () = shutdown.requested() => Err(Status::unavailable("this operator is stopping")),
            () = responses.closed() => Err(Status::cancelled("the ledger left")),
        };
        tracing::debug!(status = %status, "roster stream ended");
        // A full buffer means that the ledger is not reading; it finds the stream ended.
        drop(responses.try_send(Err(status)));
    }

    async fn tell(&mut self) -> Result<std::convert::Infallible, Status> {
        let mut living = self.mandate.hub.rosters().watch();
        // A roster may be as old as two thirds of its lease: what is left of it is renewed in time.
        let validity = self.mandate.index.currency.validity();
        let every = validity.checked_div(8).unwrap_or(validity);
        let mut renewals = tokio::time::interval(every);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        renewals.tick().await;
        loop {
            if self.mandate.epoch()? != self.epoch {
                return Err(Status::unavailable("another term has begun"));
            }
            if !self.mandate.hub.rosters().admits(&self.peer) {
                return Err(denied());
            }
            // What is not known to be current is not told, and so runs out where it is held.
            if let Ok(lease) = self.mandate.lease_of_all() {
                let response = self.news(living.borrow_and_update().namespaces.clone(), lease);
                self.responses
                    .send(Ok(response))
                    .await
                    .map_err(|_| Status::cancelled("the ledger left"))?;
            }
            tokio::select! {
                changed = living.changed() => changed.map_err(|_| Status::unavailable("this operator is stopping"))?,
                _ = renewals.tick() => {}
            }
        }
    }

    /// What is new since it was told last; all of it at first.
    fn news(&mut self, mut now: BTreeMap<String, Members>, lease: Lease) -> FollowResponse {
        // Of a namespace that is out of date nobody is known to live.
        now.retain(|namespace, _| self.mandate.lease(namespace).is_ok());
        let whole = self.sent.is_none();
        let sent = self.sent.take().unwrap_or_default();
        let changed = now.iter().filter(|(namespace, members)| {
            sent.get(*namespace)
                .is_none_or(|known| !Arc::ptr_eq(known, members))
        });
        let changed = changed.map(|(namespace, members)| roster(namespace, members));
        let gone = sent.keys().filter(|namespace| !now.contains_key(*namespace));
        let gone = gone.map(|namespace| roster(namespace, &[]));
        let rosters = changed.chain(gone).collect();
        self.sent = Some(now);
        FollowResponse {
            epoch: self.epoch,
            whole,
            rosters,
            lease_seconds: lease.seconds(),
        }
    }
}

/// Those of a namespace who have business with the ledger.
fn roster(namespace: &str, members: &[Enrolled]) -> Roster {
    let now = Timestamp::now();
    let known = members.iter().filter(|member| match member.identity {
        Identity::Gateway(_) | Identity::Channel(_) => true,
        Identity::Operator | Identity::Ledger | Identity::Runner { .. } => false,
    });
    Roster {
        namespace: namespace.to_owned(),
        members: known.map(|member| member.told(now)).collect(),
    }
}
