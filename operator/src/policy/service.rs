//! `monstrum.policy.v1.Policy`: one stream per gateway.

use std::sync::Arc;
use std::time::Duration;

use monstrum_service::{Peer, Service, peer};
use monstrum_wire::identity::{BotId, Identity};
use monstrum_wire::policy::policy_server::Policy;
use monstrum_wire::policy::{SubscribeRequest, SubscribeResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::hub::Hub;
use super::stream::PolicyStream;
use crate::leadership::Leadership;

/// Messages that wait for a gateway to read them; a change while they wait replaces nothing that was not sent yet. There is room
/// for the last that a dismissed gateway is told: nobody may call it, it may do nothing, and why the stream ends.
const BUFFER: usize = 4;

/// Serves policies while this process leads.
#[derive(Clone)]
pub struct PolicyService {
    hub: Arc<Hub>,
    leadership: Leadership,
    lease: Duration,
    service: Service,
}

impl PolicyService {
    /// A service whose policies hold for `lease` without renewal.
    pub fn new(hub: Arc<Hub>, leadership: Leadership, lease: Duration, service: Service) -> Self {
        Self {
            hub,
            leadership,
            lease,
            service,
        }
    }

    fn caller<T>(request: &Request<T>) -> Result<(Peer, BotId), Status> {
        let peer = peer(request)?;
        match &peer.identity {
            Identity::Gateway(bot) => Ok((peer.clone(), bot.clone())),
            Identity::Operator | Identity::Ledger | Identity::Runner { .. } | Identity::Channel(_) => {
                tracing::warn!(caller = %peer.identity, "policy refused: not a gateway");
                Err(denied())
            }
        }
    }
}

/// Says nothing about the bot: not whether it ever was there.
pub(super) fn denied() -> Status {
    Status::permission_denied("only the gateway of a bot that is there has a policy")
}

/// The epoch that may be served right now.
pub(crate) fn leading(hub: &Hub, leadership: &Leadership) -> Result<u64, Status> {
    let epoch = leadership
        .epoch()
        .ok_or_else(|| Status::unavailable("this operator does not lead"))?;
    match hub.serving() {
        Some(serving) if serving == epoch => Ok(epoch),
        Some(_) | None => Err(Status::unavailable("this operator is still compiling policies")),
    }
}

#[tonic::async_trait]
impl Policy for PolicyService {
    type SubscribeStream = ReceiverStream<Result<SubscribeResponse, Status>>;

    async fn subscribe(
        &self,
        request: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let (peer, bot) = Self::caller(&request)?;
        let epoch = leading(&self.hub, &self.leadership)?;
        if !self.hub.rosters().admits(&peer) {
            tracing::warn!(caller = %peer.identity, serial = %peer.serial, "policy refused: dismissed, or by an old certificate");
            return Err(denied());
        }
        let place = self
            .hub
            .place(&bot)
            .ok_or_else(|| Status::resource_exhausted("too many streams are open"))?;
        let (responses, stream) = mpsc::channel(BUFFER);
        let policies = PolicyStream {
            hub: Arc::clone(&self.hub),
            leadership: self.leadership.clone(),
            lease: self.lease,
            bot,
            peer,
            epoch,
            requests: request.into_inner(),
            responses,
            _place: place,
        };
        self.service
            .spawn_quiet("policy-stream", policies.run(self.service.shutdown()));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}
