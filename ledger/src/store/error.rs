//! What a store answers when it does not do what was asked.

use std::error::Error;

use crate::quota::CounterKey;

/// Why a database failed, in its own words.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A refusal, or a failure of the database. The text of a refusal is for the caller; that of a failure is not.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such session of this bot.
    #[error("there is no session {0:?}")]
    UnknownSession(String),
    /// Another gateway's lease on the session lives.
    #[error("session {session:?} is held by another gateway: wait until it is released or its lease ends")]
    SessionHeld {
        /// Which session.
        session: String,
    },
    /// The session was begun through another channel.
    #[error("session {session:?} was begun through another channel: start a new one")]
    ForeignChannel {
        /// Which session.
        session: String,
    },
    /// The fence is not that of the present hold, or its lease ended.
    #[error("session {session:?} is not held under fence {fence}: acquire it again")]
    NotHeld {
        /// Which session.
        session: String,
        /// What the caller believed to hold.
        fence: u64,
    },
    /// No such call of this bot.
    #[error("there is no call {0:?}")]
    UnknownCall(String),
    /// The call id was used before.
    #[error("call {0:?} was started before")]
    CallStarted(String),
    /// The call has an outcome already.
    #[error("call {0:?} was finished before")]
    CallFinished(String),
    /// The id that a step takes was taken before.
    #[error("id {0:?} was taken before")]
    Taken(String),
    /// A limit would be passed.
    #[error("{counter} has no room: {used} of {limit} used or reserved, {amount} more asked")]
    QuotaExhausted {
        /// Which counter.
        counter: CounterKey,
        /// What is settled and reserved in the window.
        used: u64,
        /// What was asked.
        amount: u64,
        /// How much the window may hold.
        limit: u64,
    },
    /// No such reservation of this bot.
    #[error("there is no reservation {0:?}")]
    UnknownReservation(String),
    /// The id names a reservation of other counters or amounts.
    #[error("reservation {0:?} exists with other counters: take a new id")]
    ReservationDiffers(String),
    /// The id names a reservation that was settled or ran out.
    #[error("reservation {0:?} has ended: take a new id")]
    ReservationEnded(String),
    /// A settlement names a counter that was not reserved.
    #[error("reservation {reservation:?} does not hold {counter}")]
    UnknownCounter {
        /// Which reservation.
        reservation: String,
        /// Which counter.
        counter: CounterKey,
    },
    /// A budget of a Workspace, where the operator knows of none.
    #[error("the bot's namespace has no Workspace whose budget could be used")]
    NoWorkspace,
    /// Too many accepted messages of the channel wait.
    #[error("{0} accepted messages of this channel wait already: send it again later")]
    InboxFull(u32),
    /// The message was claimed again, or is finished.
    #[error("message {id:?} is not held as attempt {attempt}: claim it again")]
    MessageNotHeld {
        /// Which message.
        id: String,
        /// Which hold the caller believed to have.
        attempt: u32,
    },
    /// A number beyond what a database column holds.
    #[error("{0} is too large")]
    TooLarge(&'static str),
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] Cause),
    /// The database could not be brought to this version's tables.
    #[error("the database's tables could not be brought up to date")]
    Migration(#[source] Cause),
    /// The database file could not be made.
    #[error("{path} could not be opened")]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A row that no writer of ours can have written.
    #[error("the database holds {0} that cannot be read")]
    Corrupt(&'static str),
    /// The write was not confirmed; it may or may not have happened.
    #[error("the database did not confirm the write")]
    Unconfirmed,
    /// The read was cut off, or others kept it waiting too long.
    #[error("the database did not answer")]
    Unread,
}

impl StoreError {
    /// Whether the database is at fault, not the request.
    pub fn is_failure(&self) -> bool {
        match self {
            Self::Database(_)
            | Self::Migration(_)
            | Self::File { .. }
            | Self::Corrupt(_)
            | Self::Unconfirmed
            | Self::Unread => true,
            Self::UnknownSession(_)
            | Self::SessionHeld { .. }
            | Self::ForeignChannel { .. }
            | Self::NotHeld { .. }
            | Self::UnknownCall(_)
            | Self::CallStarted(_)
            | Self::CallFinished(_)
            | Self::Taken(_)
            | Self::QuotaExhausted { .. }
            | Self::UnknownReservation(_)
            | Self::ReservationDiffers(_)
            | Self::ReservationEnded(_)
            | Self::UnknownCounter { .. }
            | Self::NoWorkspace
            | Self::InboxFull(_)
            | Self::MessageNotHeld { .. }
            | Self::TooLarge(_) => false,
        }
    }
}
