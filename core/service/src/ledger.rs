//! Requests to the ledger: each bounded in time, every refusal told apart from an outage.

use std::time::Duration;

use tonic::{Code, Response, Status};

const TIMEOUT: Duration = Duration::from_secs(5);
/// Pauses before something that has happened is told again.
const PAUSES: [Duration; 3] = [
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
    /// The session's, or the message's, lease is not ours any more.
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

/// The answer to a request, if it comes in time.
pub async fn ask<T>(request: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, LedgerError> {
    match tokio::time::timeout(TIMEOUT, request).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(status.into()),
        Err(_) => Err(LedgerError::Unreachable("no answer in time".to_owned())),
    }
}

/// Makes a request that tells what has happened: for a few seconds again and again while the ledger can't be reached.
pub async fn insist<T, F>(request: impl Fn() -> F) -> Result<T, LedgerError>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    let mut pauses = PAUSES.into_iter();
    loop {
        match (ask(request()).await, pauses.next()) {
            (Err(LedgerError::Unreachable(_)), Some(pause)) => tokio::time::sleep(pause).await,
            (outcome, _) => return outcome,
        }
    }
}

/// Whole seconds, as requests have them.
pub fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
