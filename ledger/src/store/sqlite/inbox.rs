//! Accepted messages as rows whose attempt counts the holds.

use std::time::Duration;

use monstrum_wire::ledger::AcceptedMessage;
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::once::take;
use crate::clock::Moment;
use crate::store::{Acceptance, ClaimedRow, HeldMessage, InboxStore, MOST_WAITING, MessageClaim, StoreError};
use crate::tenant::Owner;

impl InboxStore for SqliteStore {
    async fn accept(&self, owner: &Owner, now: Moment, acceptance: Acceptance) -> Result<bool, StoreError> {
        let owner = owner.clone();
        self.write(move |connection| {
            Box::pin(async move { accept(connection, &owner, now, acceptance).await })
        })
        .await
    }

    async fn claim(
        &self,
        owner: &Owner,
        now: Moment,
        claim: MessageClaim,
    ) -> Result<Vec<ClaimedRow>, StoreError> {
        let owner = owner.clone();
        self.write(move |connection| {
            Box::pin(async move { take_over(connection, &owner, now, &claim).await })
        })
        .await
    }

    async fn renew_message(
        &self,
        owner: &Owner,
        now: Moment,
        held: HeldMessage,
        lease: Duration,
    ) -> Result<(), StoreError> {
        let owner = owner.clone();
        self.write(move |connection| {
            Box::pin(async move { prolong(connection, &owner, &held, now.after(lease)).await })
        })
        .await
    }

    async fn finish(&self, owner: &Owner, held: HeldMessage) -> Result<(), StoreError> {
        let owner = owner.clone();
        self.write(move |connection| Box::pin(async move { forget(connection, &owner, &held).await }))
            .await
    }
}

async fn accept(
    connection: &mut SqliteConnection,
    owner: &Owner,
    now: Moment,
    acceptance: Acceptance,
) -> Result<bool, StoreError> {
    let Acceptance {
        ticket,
        lease,
        message,
    } = acceptance;
    let (scope, id) = (ticket.scope.clone(), ticket.id.clone());
    if !take(connection, owner, now, ticket).await? {
        return Ok(false);
    }
    // The refusal undoes the taking, so that the sender can try again.
    require_room(connection, owner).await?;
    // A message that waits longer than its id is remembered is still the same one.
    let written = sqlx::query(
        "INSERT INTO accepted
           (owner, scope, id, bot, session, user, text, message_id, accepted_micros, attempt, lease_micros)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10) ON CONFLICT DO NOTHING",
    )
    .bind(owner.as_str())
    .bind(scope)
    .bind(id)
    .bind(message.bot)
    .bind(message.session)
    .bind(message.user)
    .bind(message.text)
    .bind(message.message_id)
    .bind(now.micros())
    .bind(now.after(lease).micros())
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

async fn require_room(connection: &mut SqliteConnection, owner: &Owner) -> Result<(), StoreError> {
    let waiting: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM accepted WHERE owner = ?1")
        .bind(owner.as_str())
        .fetch_one(connection)
        .await?;
    if waiting >= i64::from(MOST_WAITING) {
        return Err(StoreError::InboxFull(MOST_WAITING));
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    bot: String,
    session: String,
    user: String,
    text: String,
    message_id: String,
    accepted_micros: i64,
    attempt: i64,
}

impl Row {
    fn claimed(self) -> Result<ClaimedRow, StoreError> {
        Ok(ClaimedRow {
            id: self.id,
            attempt: u32::try_from(self.attempt).map_err(|_| StoreError::Corrupt("an attempt"))?,
            accepted: Moment::from_micros(self.accepted_micros),
            message: AcceptedMessage {
                bot: self.bot,
                session: self.session,
                user: self.user,
                text: self.text,
                message_id: self.message_id,
            },
        })
    }
}

async fn take_over(
    connection: &mut SqliteConnection,
    owner: &Owner,
    now: Moment,
    claim: &MessageClaim,
) -> Result<Vec<ClaimedRow>, StoreError> {
    let mut rows: Vec<Row> = sqlx::query_as(
        "UPDATE accepted SET attempt = attempt + 1, lease_micros = ?4
         WHERE owner = ?1 AND scope = ?2 AND id IN
           (SELECT id FROM accepted WHERE owner = ?1 AND scope = ?2 AND lease_micros <= ?3
            ORDER BY accepted_micros, id LIMIT ?5)
         RETURNING id, bot, session, user, text, message_id, accepted_micros, attempt",
    )
    .bind(owner.as_str())
    .bind(&claim.scope)
    .bind(now.micros())
    .bind(now.after(claim.lease).micros())
    .bind(claim.limit)
    .fetch_all(connection)
    .await?;
    // RETURNING has no order of its own.
    rows.sort_by(|one, other| (one.accepted_micros, &one.id).cmp(&(other.accepted_micros, &other.id)));
    rows.into_iter().map(Row::claimed).collect()
}

async fn prolong(
    connection: &mut SqliteConnection,
    owner: &Owner,
    held: &HeldMessage,
    until: Moment,
) -> Result<(), StoreError> {
    let written = sqlx::query(
        "UPDATE accepted SET lease_micros = ?5 WHERE owner = ?1 AND scope = ?2 AND id = ?3 AND attempt = ?4",
    )
    .bind(owner.as_str())
    .bind(&held.scope)
    .bind(&held.id)
    .bind(held.attempt)
    .bind(until.micros())
    .execute(connection)
    .await?;
    if written.rows_affected() == 1 {
        return Ok(());
    }
    Err(not_held(held))
}

async fn forget(
    connection: &mut SqliteConnection,
    owner: &Owner,
    held: &HeldMessage,
) -> Result<(), StoreError> {
    let attempt: Option<i64> =
        sqlx::query_scalar("SELECT attempt FROM accepted WHERE owner = ?1 AND scope = ?2 AND id = ?3")
            .bind(owner.as_str())
            .bind(&held.scope)
            .bind(&held.id)
            .fetch_optional(&mut *connection)
            .await?;
    if attempt.is_some_and(|attempt| attempt != i64::from(held.attempt)) {
        return Err(not_held(held));
    }
    sqlx::query("DELETE FROM accepted WHERE owner = ?1 AND scope = ?2 AND id = ?3")
        .bind(owner.as_str())
        .bind(&held.scope)
        .bind(&held.id)
        .execute(connection)
        .await?;
    Ok(())
}

fn not_held(held: &HeldMessage) -> StoreError {
    StoreError::MessageNotHeld {
        id: held.id.clone(),
        attempt: held.attempt,
    }
}
