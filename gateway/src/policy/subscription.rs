//! The stream of policies from whichever operator leads, and of the rosters of those who may call.

use std::time::Duration;

use monstrum_service::{Channel, Roster, RosterError};
use monstrum_wire::policy::policy_client::PolicyClient;
use monstrum_wire::policy::{
    Ack, Hello, Snapshot, SubscribeRequest, SubscribeResponse, subscribe_request, subscribe_response,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{Policy, Taken};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long an operator may take to answer a subscription.
const OPENING: Duration = Duration::from_secs(5);
/// The largest snapshot that is read.
const MAX_SNAPSHOT: usize = 32 << 20;

/// Keeps a [`Policy`] and a [`Roster`] up to date.
#[derive(Debug, Clone)]
pub struct Subscription {
    policy: Policy,
    roster: Roster,
    client: PolicyClient<Channel>,
    replica: String,
}

/// Why a stream was given up.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{}", .0.message())]
    Status(#[from] Status),
    #[error("the operator closed the stream")]
    Closed,
    #[error("the operator was silent for longer than half of the policy's lease")]
    Silent,
    #[error("the operator sent a policy that is older than the one held")]
    Older,
    #[error(transparent)]
    Roster(#[from] RosterError),
}

impl Subscription {
    /// Subscribes `policy` and `roster` through `channel`, as the gateway pod `replica`.
    pub fn new(policy: Policy, roster: Roster, channel: Channel, replica: String) -> Self {
        let client = PolicyClient::new(channel).max_decoding_message_size(MAX_SNAPSHOT);
        Self {
            policy,
            roster,
            client,
            replica,
        }
    }

    /// Subscribes again whenever a stream ends. Runs for ever.
    pub async fn follow(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let mut heard = false;
            let Err(ended) = self.stream(&mut heard).await;
            if heard {
                pause = FIRST_PAUSE;
            }
            tracing::debug!(error = %ended, "the policy stream ended; subscribing again");
            // Half of it at random, so that a fleet does not come back in step.
            let jitter = f64::from(uuid::Uuid::new_v4().as_bytes().first().copied().unwrap_or(0)) / 255.0;
            tokio::time::sleep(pause.mul_f64(0.5 + jitter / 2.0)).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    async fn stream(&mut self, heard: &mut bool) -> Result<std::convert::Infallible, Ended> {
        let (requests, receiver) = mpsc::channel(8);
        let hello = Hello {
            replica: self.replica.clone(),
            held: self.policy.held(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        send(&requests, subscribe_request::Message::Hello(hello)).await?;
        let opening = self.client.subscribe(ReceiverStream::new(receiver));
        let mut responses = tokio::time::timeout(OPENING, opening)
            .await
            .map_err(|_| Ended::Silent)??
            .into_inner();
        let mut lease = Duration::from_secs(60);
        loop {
            // Renewals come four times per lease; subscribing again after half of it may still save the lease.
            let next = tokio::time::timeout(lease.div_f64(2.0), responses.message()).await;
            let response = next.map_err(|_| Ended::Silent)??.ok_or(Ended::Closed)?;
            *heard = true;
            if let Some(ack) = self.receive(response, &mut lease)? {
                send(&requests, subscribe_request::Message::Ack(ack)).await?;
            }
        }
    }

    fn receive(&self, response: SubscribeResponse, lease: &mut Duration) -> Result<Option<Ack>, Ended> {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds.max(1)));
        match response.message {
            Some(subscribe_response::Message::Snapshot(snapshot)) => {
                *lease = seconds(snapshot.lease_seconds);
                let ack = self.take(snapshot)?;
                self.roster.prolong(*lease);
                Ok(Some(ack))
            }
            Some(subscribe_response::Message::Renewal(renewal)) => {
                *lease = seconds(renewal.lease_seconds);
                if self.policy.renew(&renewal) {
                    self.roster.prolong(*lease);
                } else {
                    tracing::warn!("a renewal of a policy that is not held was ignored");
                }
                Ok(None)
            }
            Some(subscribe_response::Message::Roster(roster)) => {
                // It holds as long as the policy that comes with it.
                self.roster.take(0, true, &[roster], self.policy.lease_left())?;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    fn take(&self, snapshot: Snapshot) -> Result<Ack, Ended> {
        let fault = match self.policy.take(&snapshot) {
            Taken::Enforced => String::new(),
            Taken::Faulty(fault) => fault,
            Taken::Older => return Err(Ended::Older),
        };
        if fault.is_empty() {
            tracing::info!(digest = %snapshot.digest, "policy enforced");
        } else {
            tracing::error!(digest = %snapshot.digest, error = %fault, "the policy can't be used; every call is denied");
        }
        Ok(Ack {
            version: snapshot.version,
            digest: snapshot.digest,
            fault,
        })
    }
}

async fn send(
    requests: &mpsc::Sender<SubscribeRequest>,
    message: subscribe_request::Message,
) -> Result<(), Ended> {
    requests
        .send(SubscribeRequest {
            message: Some(message),
        })
        .await
        .map_err(|_| Ended::Closed)
}
