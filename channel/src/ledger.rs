//! The ids and messages of a channel, kept by the ledger.

use std::time::Duration;

use monstrum_service::ledger::{self, seconds};
use monstrum_wire::ledger::ledger_client::LedgerClient;
use monstrum_wire::ledger::{
    AcceptMessageRequest, AcceptedMessage, ClaimMessagesRequest, ClaimedMessage, FinishMessageRequest,
    HoldOnceRequest, OnceState, RenewMessageRequest, SettleOnceRequest, TakeOnceRequest,
};

pub(crate) use monstrum_service::ledger::LedgerError;

/// The largest answer that is read: messages that were left.
const MAX_ANSWER: usize = 32 << 20;

/// A message that this process holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// What sort of message.
    pub(crate) scope: String,
    /// Under which id it is kept.
    pub(crate) id: String,
    /// Which hold of it.
    pub(crate) attempt: u32,
}

/// The ledger, as this process's identity.
#[derive(Debug, Clone)]
pub(crate) struct Ledger(LedgerClient<monstrum_service::Channel>);

impl Ledger {
    /// Over a channel to the ledger.
    pub(crate) fn new(channel: monstrum_service::Channel) -> Self {
        Self(LedgerClient::new(channel).max_decoding_message_size(MAX_ANSWER))
    }

    /// Whether the id is taken for the first time.
    pub(crate) async fn take_once(&self, scope: &str, id: &str, keep: Duration) -> Result<bool, LedgerError> {
        let request = TakeOnceRequest {
            scope: scope.to_owned(),
            id: id.to_owned(),
            keep_seconds: seconds(keep),
        };
        let response = ledger::ask(self.0.clone().take_once(request)).await?;
        Ok(response.fresh)
    }

    /// Holds an id for as long as it is worked on.
    pub(crate) async fn hold_once(
        &self,
        scope: &str,
        id: &str,
        hold: Duration,
    ) -> Result<OnceState, LedgerError> {
        let response = ledger::ask(self.0.clone().hold_once(held(scope, id, hold, false))).await?;
        Ok(response.state())
    }

    /// Goes on to hold it.
    pub(crate) async fn renew_hold(&self, scope: &str, id: &str, hold: Duration) -> Result<(), LedgerError> {
        let request = held(scope, id, hold, true);
        ledger::ask(self.0.clone().hold_once(request)).await.map(drop)
    }

    /// Takes an id that was held for good, or gives it back where there is no time to keep it for.
    pub(crate) async fn settle_once(&self, scope: &str, id: &str, keep: Duration) -> Result<(), LedgerError> {
        let request = SettleOnceRequest {
            scope: scope.to_owned(),
            id: id.to_owned(),
            keep_seconds: seconds(keep),
        };
        ledger::ask(self.0.clone().settle_once(request)).await.map(drop)
    }

    /// Whether the id is taken for the first time; the message is kept then, held as attempt 1.
    pub(crate) async fn accept_message(
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
        let response = ledger::ask(self.0.clone().accept_message(request)).await?;
        Ok(response.fresh)
    }

    /// Holds messages that nobody holds, the oldest first.
    pub(crate) async fn claim_messages(
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
        let response = ledger::ask(self.0.clone().claim_messages(request)).await?;
        Ok(response.messages)
    }

    /// Prolongs the hold.
    pub(crate) async fn renew_message(&self, kept: &Kept, lease: Duration) -> Result<(), LedgerError> {
        let request = RenewMessageRequest {
            scope: kept.scope.clone(),
            id: kept.id.clone(),
            attempt: kept.attempt,
            lease_seconds: seconds(lease),
        };
        ledger::ask(self.0.clone().renew_message(request)).await.map(drop)
    }

    /// Forgets the message; tried for a few seconds, because its answer is sent.
    pub(crate) async fn finish_message(&self, kept: &Kept) -> Result<(), LedgerError> {
        let finishing = || {
            let request = FinishMessageRequest {
                scope: kept.scope.clone(),
                id: kept.id.clone(),
                attempt: kept.attempt,
            };
            let mut client = self.0.clone();
            async move { client.finish_message(request).await }
        };
        ledger::insist(finishing).await.map(drop)
    }
}

fn held(scope: &str, id: &str, hold: Duration, renew: bool) -> HoldOnceRequest {
    HoldOnceRequest {
        scope: scope.to_owned(),
        id: id.to_owned(),
        hold_seconds: seconds(hold),
        renew,
    }
}
