//! Accepted messages as rows whose attempt counts the holds.

use std::time::Duration;

use monstrum_wire::ledger::AcceptedMessage;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rules::{self, not_held};
use super::{Acceptance, ClaimedRow, InboxStore, MessageClaim, MessageLease};
use crate::clock::Moment;
use crate::once::sqlite::take;
use crate::sqlite::{SqliteStore, unsigned};
use crate::store::StoreError;
use crate::tenant::Owner;

impl InboxStore for SqliteStore {
    async fn accept(&self, owner: &Owner, now: Moment, acceptance: Acceptance) -> Result<bool, StoreError> {
        let owner = owner.clone();
        self.write(move |connection| accept(connection, &owner, now, acceptance))
            .await
    }

    async fn claim(
        &self,
        owner: &Owner,
        now: Moment,
        claim: MessageClaim,
    ) -> Result<Vec<ClaimedRow>, StoreError> {
        let owner = owner.clone();
        self.write(move |connection| take_over(connection, &owner, now, &claim))
            .await
    }

    async fn renew_message(
        &self,
        owner: &Owner,
        now: Moment,
        lease: MessageLease,
        span: Duration,
    ) -> Result<(), StoreError> {
        let owner = owner.clone();
        self.write(move |connection| prolong(connection, &owner, &lease, now.after(span)))
            .await
    }

    async fn finish(&self, owner: &Owner, lease: MessageLease) -> Result<(), StoreError> {
        let owner = owner.clone();
        self.write(move |connection| forget(connection, &owner, &lease))
            .await
    }
}

fn accept(
    connection: &Connection,
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
    if !take(connection, owner, now, ticket)? {
        return Ok(false);
    }
    // The refusal undoes the taking, so that the sender can try again.
    require_room(connection, owner)?;
    // A message that waits longer than its id is remembered is still the same one.
    let written = connection
        .prepare_cached(
            "INSERT INTO accepted
           (owner, scope, id, bot, bot_uid, session, user, text, message_id, accepted_micros, attempt, lease_micros)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            owner.as_str(),
            scope,
            id,
            message.bot,
            message.bot_uid,
            message.session,
            message.user,
            message.text,
            message.message_id,
            now.micros(),
            now.after(lease).micros()
        ])?;
    Ok(written == 1)
}

fn require_room(connection: &Connection, owner: &Owner) -> Result<(), StoreError> {
    let waiting: i64 = connection
        .prepare_cached("SELECT COUNT(*) FROM accepted WHERE owner = ?1")?
        .query_row(params![owner.as_str()], |row| row.get(0))?;
    rules::require_room(unsigned(waiting, "a count")?)
}

fn take_over(
    connection: &Connection,
    owner: &Owner,
    now: Moment,
    claim: &MessageClaim,
) -> Result<Vec<ClaimedRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE accepted SET attempt = attempt + 1, lease_micros = ?4
         WHERE owner = ?1 AND scope = ?2 AND id IN
           (SELECT id FROM accepted WHERE owner = ?1 AND scope = ?2 AND lease_micros <= ?3
            ORDER BY accepted_micros, id LIMIT ?5)
         RETURNING id, bot, bot_uid, session, user, text, message_id, accepted_micros, attempt",
    )?;
    let (now, until) = (now.micros(), now.after(claim.lease).micros());
    let mut rows = statement.query(params![owner.as_str(), claim.scope, now, until, claim.limit])?;
    let mut claimed = Vec::new();
    while let Some(row) = rows.next()? {
        claimed.push(message(row)?);
    }
    // RETURNING has no order of its own.
    claimed.sort_by(|one, other| (one.accepted, &one.id).cmp(&(other.accepted, &other.id)));
    Ok(claimed)
}

fn message(row: &Row<'_>) -> Result<ClaimedRow, StoreError> {
    let attempt: i64 = row.get(8)?;
    Ok(ClaimedRow {
        id: row.get(0)?,
        attempt: u32::try_from(attempt).map_err(|_| StoreError::Corrupt("an attempt"))?,
        accepted: Moment::from_micros(row.get(7)?),
        message: AcceptedMessage {
            bot: row.get(1)?,
            bot_uid: row.get(2)?,
            session: row.get(3)?,
            user: row.get(4)?,
            text: row.get(5)?,
            message_id: row.get(6)?,
        },
    })
}

fn prolong(
    connection: &Connection,
    owner: &Owner,
    lease: &MessageLease,
    until: Moment,
) -> Result<(), StoreError> {
    let written = connection
        .prepare_cached(
            "UPDATE accepted SET lease_micros = ?5
         WHERE owner = ?1 AND scope = ?2 AND id = ?3 AND attempt = ?4",
        )?
        .execute(params![
            owner.as_str(),
            &lease.scope,
            &lease.id,
            lease.attempt,
            until.micros()
        ])?;
    if written == 1 {
        return Ok(());
    }
    Err(not_held(lease))
}

fn forget(connection: &Connection, owner: &Owner, lease: &MessageLease) -> Result<(), StoreError> {
    let attempt: Option<u32> = connection
        .prepare_cached("SELECT attempt FROM accepted WHERE owner = ?1 AND scope = ?2 AND id = ?3")?
        .query_row(params![owner.as_str(), &lease.scope, &lease.id], |row| row.get(0))
        .optional()?;
    if let Some(attempt) = attempt {
        rules::require_present(lease, attempt)?;
    }
    connection
        .prepare_cached("DELETE FROM accepted WHERE owner = ?1 AND scope = ?2 AND id = ?3")?
        .execute(params![owner.as_str(), &lease.scope, &lease.id])?;
    Ok(())
}
