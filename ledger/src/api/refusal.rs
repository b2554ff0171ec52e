//! Why a request is not answered, and what its caller is told: enough to act on, nothing of the database.

use monstrum_wire::identity::Identity;
use tonic::{Code, Status};

use crate::metrics::{Class, Method};
use crate::store::StoreError;

/// A request that is not answered.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The connection has no identity of this installation.
    #[error("the caller has no identity")]
    Nobody(Status),
    /// The identity may not call this.
    #[error("{0} may not call this: only a bot's gateway may")]
    Forbidden(Identity),
    /// The caller's object is gone, or another certificate was issued since.
    #[error("{0} may not call any more")]
    Dismissed(Identity),
    /// The operator has not said who lives, or not for too long.
    #[error("who may call is not known right now: try again")]
    Unenrolled,
    /// The identity is no channel.
    #[error("{0} may not call this: only a channel may")]
    NoChannel(Identity),
    /// A field is not as it must be.
    #[error("{field} {problem}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The process ends.
    #[error("the ledger is stopping: try again")]
    Stopping,
}

impl Refusal {
    /// The metric's label.
    pub fn class(&self) -> Class {
        match self {
            Self::Nobody(_) | Self::Forbidden(_) | Self::Dismissed(_) | Self::NoChannel(_) => {
                Class::Forbidden
            }
            Self::Field { .. } => Class::Invalid,
            Self::Stopping | Self::Unenrolled => Class::Failure,
            Self::Store(error) => store_class(error),
        }
    }

    /// The status for the caller. A failure of the database is logged here, with its cause, and not told.
    pub(crate) fn told(self, method: Method) -> Status {
        match self {
            Self::Nobody(status) => status,
            Self::Store(error) if error.is_failure() => {
                let cause = std::error::Error::source(&error)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tracing::error!(?method, error = %error, cause, "request failed");
                Status::new(store_code(&error), "the ledger's database failed: try again")
            }
            refusal => Status::new(refusal.code(), refusal.to_string()),
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::Nobody(_) => Code::Unauthenticated,
            Self::Forbidden(_) | Self::Dismissed(_) | Self::NoChannel(_) => Code::PermissionDenied,
            Self::Field { .. } => Code::InvalidArgument,
            Self::Stopping | Self::Unenrolled => Code::Unavailable,
            Self::Store(error) => store_code(error),
        }
    }
}

fn store_code(error: &StoreError) -> Code {
    match error {
        StoreError::UnknownSession(_)
        | StoreError::UnknownCall(_)
        | StoreError::UnknownReservation(_)
        | StoreError::NoWorkspace => Code::NotFound,
        StoreError::SessionHeld { .. } => Code::Aborted,
        StoreError::ForeignChannel { .. } => Code::PermissionDenied,
        StoreError::NotHeld { .. } | StoreError::MessageNotHeld { .. } | StoreError::ReservationEnded(_) => {
            Code::FailedPrecondition
        }
        StoreError::CallStarted(_)
        | StoreError::CallFinished(_)
        | StoreError::Taken(_)
        | StoreError::ReservationDiffers(_) => Code::AlreadyExists,
        StoreError::QuotaExhausted { .. } | StoreError::InboxFull(_) => Code::ResourceExhausted,
        StoreError::UnknownCounter { .. } | StoreError::TooLarge(_) => Code::InvalidArgument,
        StoreError::Corrupt(_) | StoreError::Migration(_) => Code::Internal,
        StoreError::Database(_) | StoreError::File { .. } | StoreError::Unconfirmed | StoreError::Unread => {
            Code::Unavailable
        }
    }
}

fn store_class(error: &StoreError) -> Class {
    match error {
        StoreError::UnknownSession(_)
        | StoreError::UnknownCall(_)
        | StoreError::UnknownReservation(_)
        | StoreError::NoWorkspace => Class::Unknown,
        StoreError::ForeignChannel { .. } => Class::Forbidden,
        StoreError::SessionHeld { .. }
        | StoreError::NotHeld { .. }
        | StoreError::MessageNotHeld { .. }
        | StoreError::CallStarted(_)
        | StoreError::CallFinished(_)
        | StoreError::Taken(_)
        | StoreError::ReservationDiffers(_)
        | StoreError::ReservationEnded(_) => Class::Conflict,
        StoreError::QuotaExhausted { .. } | StoreError::InboxFull(_) => Class::Exhausted,
        StoreError::UnknownCounter { .. } | StoreError::TooLarge(_) => Class::Invalid,
        StoreError::Database(_)
        | StoreError::Migration(_)
        | StoreError::File { .. }
        | StoreError::Corrupt(_)
        | StoreError::Unconfirmed
        | StoreError::Unread => Class::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_database_is_told() {
        let inner = rusqlite::Error::InvalidColumnName("near \"SELECT secret\": syntax error".to_owned());
        let status = Refusal::Store(StoreError::from(inner)).told(Method::Append);
        assert_eq!(status.code(), Code::Unavailable);
        assert!(!status.message().contains("SELECT"), "{}", status.message());
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let status = Refusal::Store(StoreError::NotHeld {
            session: "s".to_owned(),
            fence: 3,
        })
        .told(Method::StartCall);
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(
            status.message(),
            "session \"s\" is not held under fence 3: acquire it again"
        );
    }
}
