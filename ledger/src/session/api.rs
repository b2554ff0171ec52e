//! Sessions and messages.

use monstrum_wire::ledger::{
    AcquireSessionRequest, AcquireSessionResponse, AdvanceSessionRequest, AdvanceSessionResponse, Message,
    ReleaseSessionRequest, ReleaseSessionResponse, RenewSessionRequest, RenewSessionResponse, Step,
};
use uuid::Uuid;

use super::{Advance, Claim, Opened, SessionLease, Tail};
use crate::api::{Api, Refusal, field};
use crate::store::Store;
use crate::tenant::BotKey;
use crate::{audit, once, usage};

/// Messages in one request.
const MOST_MESSAGES: usize = 256;

/// Audit records in one request, and rows of usage.
const MOST_RECORDS: usize = 16;

/// The longest message, in bytes of its JSON.
const LONGEST_MESSAGE: usize = 512 * 1024;

/// Messages that are loaded when nothing is said, and at most.
const TAIL: u32 = 200;
const LONGEST_TAIL: u32 = 1000;

/// Content that is loaded at most; a client takes 4 MiB in one answer.
const TAIL_BYTES: usize = 2 * 1024 * 1024;

const ROLES: [&str; 5] = ["user", "assistant", "tool", "image", "note"];

impl<S: Store> Api<S> {
    pub(crate) async fn acquire(
        &self,
        bot: &BotKey,
        request: AcquireSessionRequest,
    ) -> Result<AcquireSessionResponse, Refusal> {
        let session = match request.session {
            empty if empty.is_empty() => Uuid::new_v4().to_string(),
            named => field::name("session", named)?,
        };
        let claim = Claim {
            session: session.clone(),
            holder: field::name("holder", request.holder)?,
            lease: field::seconds("ttl_seconds", request.ttl_seconds, field::LONGEST_LEASE)?,
            user: field::label("user", request.user)?,
            channel: field::label("channel", request.channel)?,
            tail: tail(request.tail),
            opening: request.opening.map(step).transpose()?,
        };
        let records = claim.opening.as_ref().map_or(0, |step| step.records.len());
        let acquired = self.store.acquire(bot, self.clock.now(), claim).await?;
        let opened = acquired.opening == Some(Opened::Written);
        self.metrics.appended(if opened { records } else { 0 });
        Ok(AcquireSessionResponse {
            session,
            fence: acquired.fence,
            abandoned_by: acquired.abandoned_by.unwrap_or_default(),
            messages: acquired.messages,
            opened,
            taken: acquired.opening == Some(Opened::Taken),
        })
    }

    pub(crate) async fn renew(
        &self,
        bot: &BotKey,
        request: RenewSessionRequest,
    ) -> Result<RenewSessionResponse, Refusal> {
        let lease = lease(request.session, request.fence)?;
        let span = field::seconds("ttl_seconds", request.ttl_seconds, field::LONGEST_LEASE)?;
        self.store.renew(bot, self.clock.now(), lease, span).await?;
        Ok(RenewSessionResponse {})
    }

    pub(crate) async fn release(
        &self,
        bot: &BotKey,
        request: ReleaseSessionRequest,
    ) -> Result<ReleaseSessionResponse, Refusal> {
        self.store
            .release(bot, lease(request.session, request.fence)?)
            .await?;
        Ok(ReleaseSessionResponse {})
    }

    pub(crate) async fn advance(
        &self,
        bot: &BotKey,
        request: AdvanceSessionRequest,
    ) -> Result<AdvanceSessionResponse, Refusal> {
        let lease = lease(request.session, request.fence)?;
        let advance = step(field::present("step", request.step)?)?;
        let appended = advance.records.len();
        let last_position = self.store.advance(bot, self.clock.now(), lease, advance).await?;
        self.metrics.appended(appended);
        Ok(AdvanceSessionResponse { last_position })
    }
}

/// A step that can be written.
fn step(step: Step) -> Result<Advance, Refusal> {
    Ok(Advance {
        once: step.once.map(once::asked).transpose()?,
        messages: each("messages", step.messages, MOST_MESSAGES, message)?,
        records: each("records", step.records, MOST_RECORDS, audit::record)?,
        usage: each("usage", step.usage, MOST_RECORDS, usage::row)?,
        release: step.release,
    })
}

/// Of at most `most` values, each as it can be kept.
fn each<T>(
    field: &'static str,
    values: Vec<T>,
    most: usize,
    keep: impl Fn(T) -> Result<T, Refusal>,
) -> Result<Vec<T>, Refusal> {
    field::bounded(field, values, most)?
        .into_iter()
        .map(keep)
        .collect()
}

fn tail(messages: u32) -> Tail {
    Tail {
        messages: if messages == 0 {
            TAIL
        } else {
            messages.min(LONGEST_TAIL)
        },
        bytes: TAIL_BYTES,
    }
}

pub(crate) fn lease(session: String, fence: u64) -> Result<SessionLease, Refusal> {
    Ok(SessionLease {
        session: field::name("session", session)?,
        fence,
    })
}

/// A message that can be kept: the ledger fills position and time.
fn message(message: Message) -> Result<Message, Refusal> {
    if !ROLES.contains(&message.role.as_str()) {
        return Err(field::refused(
            "messages.role",
            format!("must be one of {}", ROLES.join(", ")),
        ));
    }
    let length = message.content_json.len();
    if length == 0 || length > LONGEST_MESSAGE {
        return Err(field::refused(
            "messages.content_json",
            format!("has {length} bytes, must have from 1 to {LONGEST_MESSAGE}"),
        ));
    }
    if message.content_json.contains('\0') {
        return Err(field::refused("messages.content_json", "must not hold NUL"));
    }
    Ok(Message {
        turn: field::label("messages.turn", message.turn)?,
        ..message
    })
}
