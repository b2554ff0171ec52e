//! Messages that a channel accepted.

use std::time::Duration;

use monstrum_wire::ledger::{
    AcceptMessageRequest, AcceptMessageResponse, AcceptedMessage, ClaimMessagesRequest,
    ClaimMessagesResponse, ClaimedMessage, FinishMessageRequest, FinishMessageResponse, RenewMessageRequest,
    RenewMessageResponse,
};

use super::{Acceptance, ClaimedRow, MessageClaim, MessageLease};
use crate::api::{Api, Refusal, field};
use crate::clock::Moment;
use crate::once;
use crate::store::Store;
use crate::tenant::Owner;

/// Messages in one answer.
const MOST: u32 = 64;

/// The longest text, in bytes: what a gateway takes.
const LONGEST_TEXT: usize = 128 * 1024;

const LONGEST_LEASE: Duration = Duration::from_mins(5);

impl<S: Store> Api<S> {
    pub(crate) async fn accept(
        &self,
        owner: &Owner,
        request: AcceptMessageRequest,
    ) -> Result<AcceptMessageResponse, Refusal> {
        let acceptance = Acceptance {
            ticket: once::ticket(request.scope, request.id, request.keep_seconds)?,
            lease: field::seconds("lease_seconds", request.lease_seconds, LONGEST_LEASE)?,
            message: message(field::present("message", request.message)?)?,
        };
        Ok(AcceptMessageResponse {
            fresh: self.store.accept(owner, self.clock.now(), acceptance).await?,
        })
    }

    pub(crate) async fn claim(
        &self,
        owner: &Owner,
        request: ClaimMessagesRequest,
    ) -> Result<ClaimMessagesResponse, Refusal> {
        if request.limit == 0 || request.limit > MOST {
            return Err(field::refused(
                "limit",
                format!("is {}, must be from 1 to {MOST}", request.limit),
            ));
        }
        let claim = MessageClaim {
            scope: field::path("scope", request.scope)?,
            lease: field::seconds("lease_seconds", request.lease_seconds, LONGEST_LEASE)?,
            limit: request.limit,
        };
        let now = self.clock.now();
        let rows = self.store.claim(owner, now, claim).await?;
        Ok(ClaimMessagesResponse {
            messages: rows.into_iter().map(|row| claimed(row, now)).collect(),
        })
    }

    pub(crate) async fn prolong(
        &self,
        owner: &Owner,
        request: RenewMessageRequest,
    ) -> Result<RenewMessageResponse, Refusal> {
        let lease = lease(request.scope, request.id, request.attempt)?;
        let span = field::seconds("lease_seconds", request.lease_seconds, LONGEST_LEASE)?;
        self.store
            .renew_message(owner, self.clock.now(), lease, span)
            .await?;
        Ok(RenewMessageResponse {})
    }

    pub(crate) async fn finish(
        &self,
        owner: &Owner,
        request: FinishMessageRequest,
    ) -> Result<FinishMessageResponse, Refusal> {
        let lease = lease(request.scope, request.id, request.attempt)?;
        self.store.finish(owner, lease).await?;
        Ok(FinishMessageResponse {})
    }
}

fn lease(scope: String, id: String, attempt: u32) -> Result<MessageLease, Refusal> {
    Ok(MessageLease {
        scope: field::path("scope", scope)?,
        id: field::name("id", id)?,
        attempt,
    })
}

/// A message that can be kept. Its text may be anything that is not too long.
fn message(message: AcceptedMessage) -> Result<AcceptedMessage, Refusal> {
    let length = message.text.len();
    if length > LONGEST_TEXT {
        return Err(field::refused(
            "message.text",
            format!("has {length} bytes, must have at most {LONGEST_TEXT}"),
        ));
    }
    Ok(AcceptedMessage {
        bot: field::name("message.bot", message.bot)?,
        bot_uid: field::name("message.bot_uid", message.bot_uid)?,
        session: field::name("message.session", message.session)?,
        user: field::name("message.user", message.user)?,
        text: message.text,
        message_id: field::name("message.message_id", message.message_id)?,
    })
}

fn claimed(row: ClaimedRow, now: Moment) -> ClaimedMessage {
    let age = now.micros().saturating_sub(row.accepted.micros());
    ClaimedMessage {
        id: row.id,
        attempt: row.attempt,
        age_seconds: Duration::from_micros(u64::try_from(age).unwrap_or(0)).as_secs(),
        message: Some(row.message),
    }
}
