//! Who may call: the leading operator says, over a stream that the ledger keeps open.

use std::time::Duration;

use monstrum_service::{Channel, Connections, Roster, RosterError};
use monstrum_wire::policy::enrolment_client::EnrolmentClient;
use monstrum_wire::policy::{FollowRequest, FollowResponse};
use tonic::Status;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long an operator may take to answer.
const OPENING: Duration = Duration::from_secs(5);
/// The largest message that is read: some hundred thousand bots.
const LARGEST: usize = 64 << 20;

/// Keeps a [`Roster`] up to date.
#[derive(Debug, Clone)]
pub struct Enrolment {
    roster: Roster,
    client: EnrolmentClient<Channel>,
    replica: String,
}

/// Why a stream was given up.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{}", .0.message())]
    Status(#[from] Status),
    #[error("the operator closed the stream")]
    Closed,
    #[error("the operator was silent for longer than half of the lease")]
    Silent,
    #[error(transparent)]
    Roster(#[from] RosterError),
    #[error("the first message is not the whole")]
    Partial,
}

impl Enrolment {
    /// Follows the operator behind `channel`, as the ledger pod `replica`.
    pub fn new(roster: Roster, channel: Channel, replica: String) -> Self {
        Self {
            roster,
            client: EnrolmentClient::new(channel).max_decoding_message_size(LARGEST),
            replica,
        }
    }

    /// Follows again whenever a stream ends. Runs for ever.
    pub async fn follow(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let mut heard = false;
            let Err(ended) = self.stream(&mut heard).await;
            if heard {
                pause = FIRST_PAUSE;
            }
            tracing::debug!(error = %ended, "nobody says who lives; asking again");
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    async fn stream(&mut self, heard: &mut bool) -> Result<std::convert::Infallible, Ended> {
        let request = FollowRequest {
            replica: self.replica.clone(),
        };
        let mut responses = tokio::time::timeout(OPENING, self.client.follow(request))
            .await
            .map_err(|_| Ended::Silent)??
            .into_inner();
        let mut silence = OPENING;
        loop {
            // Renewals come four times per lease; asking again after half of it may still save the lease.
            let next = tokio::time::timeout(silence, responses.message()).await;
            let response = next.map_err(|_| Ended::Silent)??.ok_or(Ended::Closed)?;
            if !*heard && !response.whole {
                return Err(Ended::Partial);
            }
            silence = self.take(&response)?.div_f64(2.0);
            *heard = true;
        }
    }

    fn take(&self, response: &FollowResponse) -> Result<Duration, Ended> {
        let lease = Duration::from_secs(response.lease_seconds.into());
        self.roster
            .take(response.epoch, response.whole, &response.rosters, lease)?;
        Ok(lease)
    }
}

/// Ends the connections of whoever was dismissed. Runs for ever.
pub async fn dismiss(roster: Roster, connections: Connections) {
    let mut changes = roster.changes();
    loop {
        let ended = connections.retain(|peer| roster.lives(&peer.identity));
        if ended > 0 {
            tracing::info!(connections = ended, "ended the connections of dismissed callers");
        }
        changes.next().await;
    }
}

/// Resolves once it is known who may call.
pub async fn known(roster: &Roster) {
    let mut changes = roster.changes();
    while !roster.holds() {
        changes.next().await;
    }
}
