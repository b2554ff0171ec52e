//! The durable state, kept by the ledger: every request bounded in time, every refusal told apart from an outage.

mod inbox;

use std::time::Duration;

use monstrum_service::Channel;
use monstrum_wire::ledger::audit_client::AuditClient;
use monstrum_wire::ledger::ledger_client::LedgerClient;
use monstrum_wire::ledger::{
    AcquireSessionRequest, AcquireSessionResponse, AdvanceSessionRequest, AppendRequest, AuditRecord,
    Counter, FinishCallRequest, HoldOnceRequest, OnceState, QuotaUseRequest, ReleaseSessionRequest,
    RenewSessionRequest, ReserveRequest, SettleOnceRequest, SettleRequest, StartCallRequest, Step,
    TakeOnceRequest, UnfinishedCall, UnfinishedCallsRequest,
};
use tonic::{Code, Response, Status};

const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read: a conversation's end.
const MAX_ANSWER: usize = 32 << 20;
/// Pauses before a finished call is recorded again.
const FINISH_PAUSES: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];

/// Why the ledger did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Nobody knows whether it was done.
    #[error("the ledger can't be reached: {0}")]
    Unreachable(String),
    /// Another holder's lease of the session lives.
    #[error("another gateway has the session")]
    SessionTaken,
    /// The session's lease is not ours any more.
    #[error("the session's lease was lost")]
    SessionLost,
    /// The call was started before, or the id taken.
    #[error("it was done before")]
    Repeated,
    /// A limit would be passed; which one.
    #[error("{0}")]
    Exhausted(String),
    /// Anything else; doing it again would be refused again.
    #[error("the ledger refused: {0}")]
    Refused(String),
}

impl From<Status> for LedgerError {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::Aborted => Self::SessionTaken,
            Code::FailedPrecondition => Self::SessionLost,
            Code::AlreadyExists => Self::Repeated,
            Code::ResourceExhausted => Self::Exhausted(status.message().to_owned()),
            Code::InvalidArgument
            | Code::NotFound
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::OutOfRange => Self::Refused(status.message().to_owned()),
            _ => Self::Unreachable(status.message().to_owned()),
        }
    }
}

/// A session held by this gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Which session.
    pub session: String,
    /// Which hold of it.
    pub fence: u64,
}

pub use inbox::Kept;

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
        within(audit.head(monstrum_wire::ledger::HeadRequest {}))
            .await
            .map(drop)
    }

    /// Writes one record.
    pub async fn append(&self, record: AuditRecord) -> Result<(), LedgerError> {
        let request = AppendRequest { record: Some(record) };
        within(self.client.clone().append(request)).await.map(drop)
    }

    /// Becomes a session's one writer.
    pub async fn acquire(
        &self,
        request: AcquireSessionRequest,
    ) -> Result<AcquireSessionResponse, LedgerError> {
        within(self.client.clone().acquire_session(request)).await
    }

    /// Prolongs the hold.
    pub async fn renew(&self, held: &Held, ttl: Duration) -> Result<(), LedgerError> {
        let request = RenewSessionRequest {
            session: held.session.clone(),
            fence: held.fence,
            ttl_seconds: seconds(ttl),
        };
        within(self.client.clone().renew_session(request)).await.map(drop)
    }

    /// Lets the session go.
    pub async fn release(&self, held: &Held) -> Result<(), LedgerError> {
        let request = ReleaseSessionRequest {
            session: held.session.clone(),
            fence: held.fence,
        };
        within(self.client.clone().release_session(request))
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
        within(self.client.clone().advance_session(request))
            .await
            .map(drop)
    }

    /// Records a call before its effect.
    pub async fn start_call(&self, request: StartCallRequest) -> Result<(), LedgerError> {
        within(self.client.clone().start_call(request)).await.map(drop)
    }

    /// Records a call's end; tried for a few seconds, because the effect has happened.
    pub async fn finish_call(&self, request: FinishCallRequest) -> Result<(), LedgerError> {
        let mut pauses = FINISH_PAUSES.into_iter();
        loop {
            let error = match within(self.client.clone().finish_call(request.clone())).await {
                // An attempt before may have been taken although its answer was lost.
                Ok(_) | Err(LedgerError::Repeated) => return Ok(()),
                Err(error) => error,
            };
            match (&error, pauses.next()) {
                (LedgerError::Unreachable(_), Some(pause)) => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        }
    }

    /// Calls of a session that were started and never finished.
    pub async fn unfinished_calls(&self, session: &str) -> Result<Vec<UnfinishedCall>, LedgerError> {
        let request = UnfinishedCallsRequest {
            session: session.to_owned(),
        };
        within(self.client.clone().unfinished_calls(request))
            .await
            .map(|response| response.calls)
    }

    /// Whether the id is taken for the first time.
    pub async fn take_once(&self, scope: &str, id: &str, keep: Duration) -> Result<bool, LedgerError> {
        within(self.client.clone().take_once(once(scope, id, keep)))
            .await
            .map(|response| response.fresh)
    }

    /// Holds an id for as long as it is worked on.
    pub async fn hold_once(&self, scope: &str, id: &str, hold: Duration) -> Result<OnceState, LedgerError> {
        let response = within(self.client.clone().hold_once(held(scope, id, hold, false))).await?;
        Ok(response.state())
    }

    /// Goes on to hold it.
    pub async fn renew_hold(&self, scope: &str, id: &str, hold: Duration) -> Result<(), LedgerError> {
        within(self.client.clone().hold_once(held(scope, id, hold, true)))
            .await
            .map(drop)
    }

    /// Takes an id that was held for good, or gives it back where there is no time to keep it for.
    pub async fn settle_once(&self, scope: &str, id: &str, keep: Duration) -> Result<(), LedgerError> {
        let request = SettleOnceRequest {
            scope: scope.to_owned(),
            id: id.to_owned(),
            keep_seconds: seconds(keep),
        };
        within(self.client.clone().settle_once(request)).await.map(drop)
    }

    /// Current use of counters, in the order asked.
    pub async fn quota_use(&self, counters: Vec<Counter>) -> Result<Vec<Counter>, LedgerError> {
        let request = QuotaUseRequest { counters };
        within(self.client.clone().quota_use(request))
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
            ttl_seconds: seconds(ttl),
        };
        within(self.client.clone().reserve(request)).await.map(drop)
    }

    /// Replaces a reservation by what was used.
    pub async fn settle(&self, reservation: &str, counters: Vec<Counter>) -> Result<(), LedgerError> {
        let request = SettleRequest {
            reservation: reservation.to_owned(),
            counters,
        };
        within(self.client.clone().settle(request)).await.map(drop)
    }
}

async fn within<T>(request: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, LedgerError> {
    match tokio::time::timeout(TIMEOUT, request).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(status.into()),
        Err(_) => Err(LedgerError::Unreachable("no answer in time".to_owned())),
    }
}

/// An id to take.
pub(crate) fn once(scope: &str, id: &str, keep: Duration) -> TakeOnceRequest {
    TakeOnceRequest {
        scope: scope.to_owned(),
        id: id.to_owned(),
        keep_seconds: seconds(keep),
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

pub(crate) fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
