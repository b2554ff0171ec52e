//! The interface that every database implements.

use std::future::Future;
use std::time::Duration;

use monstrum_wire::ledger::{AuditRecord, Message, UsageRow};

use crate::clock::Moment;
use crate::once::Ticket;
use crate::store::StoreError;
use crate::tenant::BotKey;

/// A wish to be a session's one writer.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Which session; it is made if there is none of this id.
    pub session: String,
    /// The gateway replica.
    pub holder: String,
    /// How long, unless renewed.
    pub lease: Duration,
    /// Who began it, if it is made.
    pub user: String,
    /// Through which channel; a session stays with the channel that it was begun through.
    pub channel: String,
    /// How much of the conversation to answer with.
    pub tail: Tail,
    /// A step to write at once, where the session is in order: nobody abandoned it, and each of its calls was finished.
    pub opening: Option<Advance>,
}

/// What an acquired session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquired {
    /// Greater than that of every hold before.
    pub fence: u64,
    /// Who held it before and did not release it.
    pub abandoned_by: Option<String>,
    /// The newest messages before the opening, oldest first.
    pub messages: Vec<Message>,
    /// What became of the opening; nothing where the session is not in order.
    pub opening: Option<Opened>,
}

/// What became of a claim's opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It was written.
    Written,
    /// Its id was taken before.
    Taken,
}

/// A session together with the hold of it that the caller believes to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLease {
    /// Which session.
    pub session: String,
    /// Which hold.
    pub fence: u64,
}

/// How much of the end of a conversation to load.
#[derive(Debug, Clone, Copy)]
pub struct Tail {
    /// At most this many messages.
    pub messages: u32,
    /// Of at most this many bytes of content together; one message at least.
    pub bytes: usize,
}

/// What a step of a turn came to. All of it is written, or nothing.
#[derive(Debug, Clone, Default)]
pub struct Advance {
    /// An id that must be free.
    pub once: Option<Ticket>,
    /// For the session's end.
    pub messages: Vec<Message>,
    /// For the end of the bot's chain; their session is the held one, whatever they say.
    pub records: Vec<AuditRecord>,
    /// What models used; its session is the held one, whatever it says.
    pub usage: Vec<UsageRow>,
    /// Whether the hold ends with it.
    pub release: bool,
}

/// Sessions and their messages.
pub trait SessionStore {
    /// Takes the session for `claim.holder`. A lease that is another holder's and lives refuses it;
    /// the same holder gets a new fence, which ends its old hold.
    fn acquire(
        &self,
        bot: &BotKey,
        now: Moment,
        claim: Claim,
    ) -> impl Future<Output = Result<Acquired, StoreError>> + Send;

    /// Prolongs a hold. One whose lease ran out is prolonged too, as long as nobody took the session since.
    fn renew(
        &self,
        bot: &BotKey,
        now: Moment,
        lease: SessionLease,
        span: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Gives a hold back. Once more is no error.
    fn release(
        &self,
        bot: &BotKey,
        lease: SessionLease,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes what a step came to, and answers with the position of the session's newest message.
    fn advance(
        &self,
        bot: &BotKey,
        now: Moment,
        lease: SessionLease,
        advance: Advance,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
