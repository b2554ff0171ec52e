//! `monstrum.policy.v1.Policy`: one stream per gateway.

use std::sync::Arc;
use std::time::Duration;

use monstrum_service::{Service, peer};
use monstrum_wire::identity::{BotName, Identity};
use monstrum_wire::policy::policy_server::Policy;
use monstrum_wire::policy::{SubscribeRequest, SubscribeResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::hub::Hub;
use super::stream::PolicyStream;
use crate::leadership::Leadership;

/// Messages that wait for a gateway to read them; a change while they wait replaces nothing that was not sent yet.
const BUFFER: usize = 2;

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

    fn caller<T>(request: &Request<T>) -> Result<BotName, Status> {
        match peer(request)? {
            Identity::Gateway(bot) => Ok(bot),
            other @ (Identity::Operator
            | Identity::Ledger
            | Identity::Runner { .. }
            | Identity::Channel { .. }) => {
                tracing::warn!(caller = %other, "policy refused: not a gateway");
                Err(Status::permission_denied("only a gateway has a policy"))
            }
        }
    }
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
        let bot = Self::caller(&request)?;
        let epoch = leading(&self.hub, &self.leadership)?;
        let (responses, stream) = mpsc::channel(BUFFER);
        let policies = PolicyStream {
            hub: Arc::clone(&self.hub),
            leadership: self.leadership.clone(),
            lease: self.lease,
            bot,
            epoch,
            requests: request.into_inner(),
            responses,
        };
        self.service
            .spawn_quiet("policy-stream", policies.run(self.service.shutdown()));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}
