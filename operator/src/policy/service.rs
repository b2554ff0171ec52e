//! `monstrum.policy.v1.Policy`: one stream per gateway.

use monstrum_service::{Service, peer};
use monstrum_wire::identity::{BotName, Identity};
use monstrum_wire::policy::policy_server::Policy;
use monstrum_wire::policy::{SubscribeRequest, SubscribeResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::mandate::Mandate;
use super::stream::PolicyStream;

/// Messages that wait for a gateway to read them; a change while they wait replaces nothing that was not sent yet.
const BUFFER: usize = 2;

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

#[tonic::async_trait]
impl Policy for PolicyService {
    type SubscribeStream = ReceiverStream<Result<SubscribeResponse, Status>>;

    async fn subscribe(
        &self,
        request: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let bot = Self::caller(&request)?;
        let lease = self.mandate.lease(&bot.namespace)?;
        let (responses, stream) = mpsc::channel(BUFFER);
        let policies = PolicyStream {
            mandate: self.mandate.clone(),
            bot,
            epoch: lease.epoch,
            requests: request.into_inner(),
            responses,
        };
        self.service
            .spawn_quiet("policy-stream", policies.run(self.service.shutdown()));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}
