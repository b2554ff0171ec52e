//! `monstrum.policy.v1.Policy`: one stream per gateway.

use monstrum_service::{Peer, Service, peer};
use monstrum_wire::identity::{BotId, Identity};
use monstrum_wire::policy::policy_server::Policy;
use monstrum_wire::policy::{SubscribeRequest, SubscribeResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::mandate::Mandate;
use super::stream::PolicyStream;

/// Messages that wait for a gateway to read them; a change while they wait replaces nothing that was not sent yet. There is room
/// for the last that a dismissed gateway is told: nobody may call it, it may do nothing, and why the stream ends.
const BUFFER: usize = 4;

/// Serves policies while this process leads.
#[derive(Clone)]
pub struct PolicyService {
    mandate: Mandate,
    service: Service,
}

impl PolicyService {
    /// A service of policies that hold for as long as `mandate` says.
    pub fn new(mandate: Mandate, service: Service) -> Self {
        Self { mandate, service }
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

#[tonic::async_trait]
impl Policy for PolicyService {
    type SubscribeStream = ReceiverStream<Result<SubscribeResponse, Status>>;

    async fn subscribe(
        &self,
        request: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let (peer, bot) = Self::caller(&request)?;
        let lease = self.mandate.lease(&bot.namespace)?;
        let hub = &self.mandate.hub;
        if !hub.rosters().admits(&peer) {
            tracing::warn!(caller = %peer.identity, serial = %peer.serial, "policy refused: dismissed, or by an old certificate");
            return Err(denied());
        }
        let place = hub
            .place(&bot)
            .ok_or_else(|| Status::resource_exhausted("too many streams are open"))?;
        let (responses, stream) = mpsc::channel(BUFFER);
        let policies = PolicyStream {
            mandate: self.mandate.clone(),
            bot,
            peer,
            epoch: lease.epoch,
            requests: request.into_inner(),
            responses,
            _place: place,
        };
        self.service
            .spawn_quiet("policy-stream", policies.run(self.service.shutdown()));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}
