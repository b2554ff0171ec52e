//! Sessions as rows whose fence counts the holds.

use std::time::Duration;

use monstrum_wire::ledger::{AuditRecord, Message};
use rusqlite::{Connection, params};

use super::{Acquired, Advance, Claim, LeaseRow, Opened, SessionLease, SessionStore, Tail};
use crate::audit::sqlite as audit;
use crate::call::sqlite as call;
use crate::clock::Moment;
use crate::once::sqlite as once;
use crate::sqlite::{SqliteStore, signed, unsigned};
use crate::store::StoreError;
use crate::tenant::{BotKey, Owner};
use crate::usage::sqlite as usage;

impl SessionStore for SqliteStore {
    async fn acquire(&self, bot: &BotKey, now: Moment, claim: Claim) -> Result<Acquired, StoreError> {
        let bot = bot.clone();
        self.write(move |connection| acquire(connection, &bot, now, claim))
            .await
    }

    async fn renew(
        &self,
        bot: &BotKey,
        now: Moment,
        lease: SessionLease,
        span: Duration,
    ) -> Result<(), StoreError> {
        let bot = bot.clone();
        self.write(move |connection| prolong(connection, &bot, &lease, now.after(span)))
            .await
    }

    async fn release(&self, bot: &BotKey, lease: SessionLease) -> Result<(), StoreError> {
        let bot = bot.clone();
        self.write(move |connection| release(connection, &bot, &lease))
            .await
    }

    async fn advance(
        &self,
        bot: &BotKey,
        now: Moment,
        lease: SessionLease,
        advance: Advance,
    ) -> Result<u64, StoreError> {
        let bot = bot.clone();
        self.write(move |connection| step(connection, &bot, now, &lease, advance))
            .await
    }
}

fn find(connection: &Connection, bot: &BotKey, session: &str) -> Result<LeaseRow, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT channel, fence, holder, expires_micros, last_position FROM session
             WHERE bot = ?1 AND session = ?2",
    )?;
    let mut rows = statement.query(params![bot.as_str(), session])?;
    let Some(row) = rows.next()? else {
        return Err(StoreError::UnknownSession(session.to_owned()));
    };
    Ok(LeaseRow {
        channel: row.get(0)?,
        fence: unsigned(row.get(1)?, "the fence of a session")?,
        holder: row.get(2)?,
        expires: Moment::from_micros(row.get(3)?),
        last_position: unsigned(row.get(4)?, "the position of a message")?,
    })
}

pub(crate) fn require_known(connection: &Connection, bot: &BotKey, session: &str) -> Result<(), StoreError> {
    find(connection, bot, session).map(drop)
}

pub(crate) fn require_living(
    connection: &Connection,
    bot: &BotKey,
    lease: &SessionLease,
    now: Moment,
) -> Result<(), StoreError> {
    find(connection, bot, &lease.session)?.require_living(lease, now)
}

fn acquire(connection: &Connection, bot: &BotKey, now: Moment, claim: Claim) -> Result<Acquired, StoreError> {
    create(connection, bot, now, &claim)?;
    let row = find(connection, bot, &claim.session)?;
    let fence = row.claimed(&claim, now)?;
    connection
        .prepare_cached(
            "UPDATE session SET fence = ?3, holder = ?4, expires_micros = ?5 WHERE bot = ?1 AND session = ?2",
        )?
        .execute(params![
            bot.as_str(),
            &claim.session,
            signed(fence, "the fence of a session")?,
            &claim.holder,
            now.after(claim.lease).micros()
        ])?;
    let lease = SessionLease {
        session: claim.session,
        fence,
    };
    let messages = load_messages(connection, bot, &lease.session, claim.tail)?;
    let opening = match claim.opening {
        Some(opening) if row.holder.is_none() && call::all_finished(connection, bot, &lease.session)? => {
            Some(open(connection, bot, now, (&lease, row.last_position), opening)?)
        }
        Some(_) | None => None,
    };
    Ok(Acquired {
        fence,
        abandoned_by: row.holder,
        messages,
        opening,
    })
}

fn open(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    lease: (&SessionLease, u64),
    opening: Advance,
) -> Result<Opened, StoreError> {
    match write(connection, bot, now, lease, opening) {
        Ok(_) => Ok(Opened::Written),
        // Nothing was written: the id comes first.
        Err(StoreError::Taken(_)) => Ok(Opened::Taken),
        Err(error) => Err(error),
    }
}

/// Makes the session if there is none.
fn create(connection: &Connection, bot: &BotKey, now: Moment, claim: &Claim) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO session
           (bot, session, user, channel, created_micros, fence, expires_micros, last_position)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            bot.as_str(),
            &claim.session,
            &claim.user,
            &claim.channel,
            now.micros()
        ])?;
    Ok(())
}

fn release(connection: &Connection, bot: &BotKey, lease: &SessionLease) -> Result<(), StoreError> {
    find(connection, bot, &lease.session)?.require_last(lease)?;
    free(connection, bot, &lease.session)
}

fn free(connection: &Connection, bot: &BotKey, session: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE session SET holder = NULL, expires_micros = 0 WHERE bot = ?1 AND session = ?2",
        )?
        .execute(params![bot.as_str(), session])?;
    Ok(())
}

fn prolong(
    connection: &Connection,
    bot: &BotKey,
    lease: &SessionLease,
    until: Moment,
) -> Result<(), StoreError> {
    find(connection, bot, &lease.session)?.require_present(lease)?;
    connection
        .prepare_cached("UPDATE session SET expires_micros = ?3 WHERE bot = ?1 AND session = ?2")?
        .execute(params![bot.as_str(), lease.session, until.micros()])?;
    Ok(())
}

fn step(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    lease: &SessionLease,
    advance: Advance,
) -> Result<u64, StoreError> {
    let row = find(connection, bot, &lease.session)?;
    row.require_living(lease, now)?;
    write(connection, bot, now, (lease, row.last_position), advance)
}

/// Writes a step of a session that is held, behind its last position.
fn write(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    (lease, last): (&SessionLease, u64),
    advance: Advance,
) -> Result<u64, StoreError> {
    if let Some(ticket) = advance.once {
        let id = ticket.id.clone();
        if !once::take(connection, &Owner::from(bot), now, ticket)? {
            return Err(StoreError::Taken(id));
        }
    }
    for record in advance.records {
        let session = lease.session.clone();
        audit::append(connection, bot, now, AuditRecord { session, ..record })?;
    }
    for row in advance.usage {
        usage::record(connection, bot, now, &lease.session, row)?;
    }
    let last = append_messages(connection, bot, now, (&lease.session, last), advance.messages)?;
    if advance.release {
        free(connection, bot, &lease.session)?;
    }
    Ok(last)
}

/// Puts messages behind the session's last position, and answers with the new one.
fn append_messages(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    (session, mut last): (&str, u64),
    messages: Vec<Message>,
) -> Result<u64, StoreError> {
    if messages.is_empty() {
        return Ok(last);
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO message (bot, session, position, role, content_json, turn, time_micros)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for message in messages {
        last = last.saturating_add(1);
        insert.execute(params![
            bot.as_str(),
            session,
            signed(last, "the position of a message")?,
            message.role,
            message.content_json,
            message.turn,
            now.micros(),
        ])?;
    }
    connection
        .prepare_cached("UPDATE session SET last_position = ?3 WHERE bot = ?1 AND session = ?2")?
        .execute(params![
            bot.as_str(),
            session,
            signed(last, "the position of a message")?
        ])?;
    Ok(last)
}

/// Reads from the newest backwards until a bound is met.
fn load_messages(
    connection: &Connection,
    bot: &BotKey,
    session: &str,
    tail: Tail,
) -> Result<Vec<Message>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT position, role, content_json, turn, time_micros FROM message
         WHERE bot = ?1 AND session = ?2 ORDER BY position DESC LIMIT ?3",
    )?;
    let mut rows = statement.query(params![bot.as_str(), session, tail.messages])?;
    let mut messages = Vec::new();
    let mut bytes = 0_usize;
    while let Some(row) = rows.next()? {
        let content_json: String = row.get(2)?;
        bytes = bytes.saturating_add(content_json.len());
        if bytes > tail.bytes && !messages.is_empty() {
            break;
        }
        messages.push(Message {
            position: unsigned(row.get(0)?, "the position of a message")?,
            role: row.get(1)?,
            content_json,
            turn: row.get(3)?,
            time_micros: row.get(4)?,
        });
    }
    messages.reverse();
    Ok(messages)
}
