//! The messages that a channel accepted.

use std::time::Duration;

use monstrum_wire::ledger::{
    AcceptMessageRequest, AcceptedMessage, ClaimMessagesRequest, ClaimedMessage, FinishMessageRequest,
    RenewMessageRequest,
};

use super::{FINISH_PAUSES, Ledger, LedgerError, seconds, within};

/// A message that this channel's process holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What sort of message.
    pub scope: String,
    /// Under which id it is kept.
    pub id: String,
    /// Which hold of it.
    pub attempt: u32,
}

impl Ledger {
    /// Whether the id is taken for the first time; the message is kept then, held as attempt 1.
    pub async fn accept_message(
        &self,
        scope: &str,
        id: &str,
        keep: Duration,
        lease: Duration,
        message: AcceptedMessage,
    ) -> Result<bool, LedgerError> {
        let request = AcceptMessageRequest {
            scope: scope.to_owned(),
            id: id.to_owned(),
            keep_seconds: seconds(keep),
            lease_seconds: seconds(lease),
            message: Some(message),
        };
        within(self.client.clone().accept_message(request))
            .await
            .map(|response| response.fresh)
    }

    /// Holds messages that nobody holds, the oldest first.
    pub async fn claim_messages(
        &self,
        scope: &str,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<ClaimedMessage>, LedgerError> {
        let request = ClaimMessagesRequest {
            scope: scope.to_owned(),
            lease_seconds: seconds(lease),
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
        };
        within(self.client.clone().claim_messages(request))
            .await
            .map(|response| response.messages)
    }

    /// Prolongs the hold.
    pub async fn renew_message(&self, kept: &Kept, lease: Duration) -> Result<(), LedgerError> {
        let request = RenewMessageRequest {
            scope: kept.scope.clone(),
            id: kept.id.clone(),
            attempt: kept.attempt,
            lease_seconds: seconds(lease),
        };
        within(self.client.clone().renew_message(request)).await.map(drop)
    }

    /// Forgets the message; tried for a few seconds, because its answer is sent.
    pub async fn finish_message(&self, kept: &Kept) -> Result<(), LedgerError> {
        let mut pauses = FINISH_PAUSES.into_iter();
        loop {
            let request = FinishMessageRequest {
                scope: kept.scope.clone(),
                id: kept.id.clone(),
                attempt: kept.attempt,
            };
            let Err(error) = within(self.client.clone().finish_message(request)).await else {
                return Ok(());
            };
            match (&error, pauses.next()) {
                (LedgerError::Unreachable(_), Some(pause)) => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        }
    }
}
