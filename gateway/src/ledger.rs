//! The durable state of a bot, kept by the ledger.

use std::time::Duration;

use monstrum_service::{Channel, ledger};
use monstrum_wire::ledger::audit_client::AuditClient;
use monstrum_wire::ledger::ledger_client::LedgerClient;
use monstrum_wire::ledger::{
    AcquireSessionRequest, AcquireSessionResponse, AdvanceSessionRequest, AppendRequest, AuditRecord,
    Counter, FinishCallRequest, QuotaUseRequest, ReleaseSessionRequest, RenewSessionRequest, ReserveRequest,
    SettleRequest, StartCallRequest, Step, UnfinishedCall, UnfinishedCallsRequest,
};

pub use monstrum_service::ledger::LedgerError;

/// The largest answer that is read: a conversation's end.
const MAX_ANSWER: usize = 32 << 20;

/// A session held by this gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Which session.
    pub session: String,
    /// Which hold of it.
    pub fence: u64,
}

/// The ledger, as this process's identity.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: LedgerClient<Channel>,
    audit: AuditClient<Channel>,
}

impl Ledger {
    /// Over a channel to the ledger.
    pub fn new(channel: Channel) -> Self {
        Self {
            client: LedgerClient::new(channel.clone()).max_decoding_message_size(MAX_ANSWER),
            audit: AuditClient::new(channel),
        }
    }

    /// Reading the audit, passed through.
    pub fn audit(&self) -> AuditClient<Channel> {
        self.audit.clone()
    }

    /// Whether it answers at all.
    pub async fn reach(&self) -> Result<(), LedgerError> {
        let mut audit = self.audit.clone();
        ledger::ask(audit.head(monstrum_wire::ledger::HeadRequest {}))
            .await
            .map(drop)
    }

    /// Writes one record.
    pub async fn append(&self, record: AuditRecord) -> Result<(), LedgerError> {
        let request = AppendRequest { record: Some(record) };
        ledger::ask(self.client.clone().append(request)).await.map(drop)
    }

    /// Becomes a session's one writer.
    pub async fn acquire(
        &self,
        request: AcquireSessionRequest,
    ) -> Result<AcquireSessionResponse, LedgerError> {
        ledger::ask(self.client.clone().acquire_session(request)).await
    }

    /// Prolongs the hold.
    pub async fn renew(&self, held: &Held, ttl: Duration) -> Result<(), LedgerError> {
        let request = RenewSessionRequest {
            session: held.session.clone(),
            fence: held.fence,
            ttl_seconds: ledger::seconds(ttl),
        };
        ledger::ask(self.client.clone().renew_session(request))
            .await
            .map(drop)
    }

    /// Lets the session go.
    pub async fn release(&self, held: &Held) -> Result<(), LedgerError> {
        let request = ReleaseSessionRequest {
            session: held.session.clone(),
            fence: held.fence,
        };
        ledger::ask(self.client.clone().release_session(request))
            .await
            .map(drop)
    }

    /// Writes all that a step came to, or nothing.
    pub async fn advance(&self, held: &Held, step: Step) -> Result<(), LedgerError> {
        let request = AdvanceSessionRequest {
            session: held.session.clone(),
            fence: held.fence,
            step: Some(step),
        };
        ledger::ask(self.client.clone().advance_session(request))
            .await
            .map(drop)
    }

    /// Records a call before its effect.
    pub async fn start_call(&self, request: StartCallRequest) -> Result<(), LedgerError> {
        ledger::ask(self.client.clone().start_call(request))
            .await
            .map(drop)
    }

    /// Records a call's end; tried for a few seconds, because the effect has happened.
    pub async fn finish_call(&self, request: FinishCallRequest) -> Result<(), LedgerError> {
        let finishing = || {
            let (mut client, request) = (self.client.clone(), request.clone());
            async move { client.finish_call(request).await }
        };
        match ledger::insist(finishing).await {
            // An attempt before may have been taken although its answer was lost.
            Ok(_) | Err(LedgerError::Repeated) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Calls of a session that were started and never finished.
    pub async fn unfinished_calls(&self, session: &str) -> Result<Vec<UnfinishedCall>, LedgerError> {
        let request = UnfinishedCallsRequest {
            session: session.to_owned(),
        };
        ledger::ask(self.client.clone().unfinished_calls(request))
            .await
            .map(|response| response.calls)
    }

    /// Current use of counters, in the order asked.
    pub async fn quota_use(&self, counters: Vec<Counter>) -> Result<Vec<Counter>, LedgerError> {
        let request = QuotaUseRequest { counters };
        ledger::ask(self.client.clone().quota_use(request))
            .await
            .map(|response| response.counters)
    }

    /// Reserves all or nothing.
    pub async fn reserve(
        &self,
        reservation: &str,
        counters: Vec<Counter>,
        ttl: Duration,
    ) -> Result<(), LedgerError> {
        let request = ReserveRequest {
            reservation: reservation.to_owned(),
            counters,
            ttl_seconds: ledger::seconds(ttl),
        };
        ledger::ask(self.client.clone().reserve(request)).await.map(drop)
    }

    /// Replaces a reservation by what was used.
    pub async fn settle(&self, reservation: &str, counters: Vec<Counter>) -> Result<(), LedgerError> {
        let request = SettleRequest {
            reservation: reservation.to_owned(),
            counters,
        };
        ledger::ask(self.client.clone().settle(request)).await.map(drop)
    }
}
