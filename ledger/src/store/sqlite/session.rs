//! Sessions as rows whose fence counts the holds.

use std::time::Duration;

use monstrum_wire::ledger::{AuditRecord, Message};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{SqliteStore, audit, call, once, signed, unsigned, usage};
use crate::clock::Moment;
use crate::store::{Advance, Claim, Held, Hold, Opened, SessionStore, StoreError, Tail};
use crate::tenant::{BotKey, Owner};

impl SessionStore for SqliteStore {
    async fn acquire(&self, bot: &BotKey, now: Moment, claim: Claim) -> Result<Hold, StoreError> {
        let bot = bot.clone();
        self.write(move |connection| acquire(connection, &bot, now, claim))
            .await
    }

    async fn renew(&self, bot: &BotKey, now: Moment, held: Held, lease: Duration) -> Result<(), StoreError> {
        let bot = bot.clone();
        self.write(move |connection| prolong(connection, &bot, &held, now.after(lease)))
            .await
    }

    async fn release(&self, bot: &BotKey, held: Held) -> Result<(), StoreError> {
        let bot = bot.clone();
        self.write(move |connection| release(connection, &bot, &held))
            .await
    }

    async fn advance(
        &self,
        bot: &BotKey,
        now: Moment,
        held: Held,
        advance: Advance,
    ) -> Result<u64, StoreError> {
        let bot = bot.clone();
        self.write(move |connection| step(connection, &bot, now, &held, advance))
            .await
    }
}

/// A session's row, as far as holds are concerned.
struct Lease {
    channel: String,
    fence: i64,
    holder: Option<String>,
    expires_micros: i64,
    last_position: i64,
}

impl Lease {
    fn lives(&self, now: Moment) -> bool {
        self.holder.is_some() && self.expires_micros > now.micros()
    }
}

fn find(connection: &Connection, bot: &BotKey, session: &str) -> Result<Lease, StoreError> {
    let lease = |row: &Row<'_>| {
        Ok(Lease {
            channel: row.get(0)?,
            fence: row.get(1)?,
            holder: row.get(2)?,
            expires_micros: row.get(3)?,
            last_position: row.get(4)?,
        })
    };
    connection
        .prepare_cached(
            "SELECT channel, fence, holder, expires_micros, last_position FROM session
             WHERE bot = ?1 AND session = ?2",
        )?
        .query_row(params![bot.as_str(), session], lease)
        .optional()?
        .ok_or_else(|| StoreError::UnknownSession(session.to_owned()))
}

pub(super) fn require_known(connection: &Connection, bot: &BotKey, session: &str) -> Result<(), StoreError> {
    find(connection, bot, session).map(drop)
}

/// The hold is the session's present one, whether or not its lease ran out.
fn require_fence(connection: &Connection, bot: &BotKey, held: &Held) -> Result<Lease, StoreError> {
    let lease = find(connection, bot, &held.session)?;
    if lease.holder.is_none() || u64::try_from(lease.fence) != Ok(held.fence) {
        return Err(not_held(held));
    }
    Ok(lease)
}

/// The hold is the session's present one and its lease lives.
pub(super) fn require_hold(
    connection: &Connection,
    bot: &BotKey,
    held: &Held,
    now: Moment,
) -> Result<u64, StoreError> {
    let lease = require_fence(connection, bot, held)?;
    if !lease.lives(now) {
        return Err(not_held(held));
    }
    unsigned(lease.last_position, "the position of a message")
}

fn not_held(held: &Held) -> StoreError {
    StoreError::NotHeld {
        session: held.session.clone(),
        fence: held.fence,
    }
}

fn acquire(connection: &Connection, bot: &BotKey, now: Moment, claim: Claim) -> Result<Hold, StoreError> {
    create(connection, bot, now, &claim)?;
    let lease = find(connection, bot, &claim.session)?;
    if lease.channel != claim.channel {
        return Err(StoreError::ForeignChannel {
            session: claim.session,
        });
    }
    if lease.lives(now) && lease.holder.as_deref() != Some(claim.holder.as_str()) {
        return Err(StoreError::SessionHeld {
            session: claim.session,
        });
    }
    let fence = lease.fence.saturating_add(1);
    connection
        .prepare_cached(
            "UPDATE session SET fence = ?3, holder = ?4, expires_micros = ?5 WHERE bot = ?1 AND session = ?2",
        )?
        .execute(params![
            bot.as_str(),
            &claim.session,
            fence,
            &claim.holder,
            now.after(claim.lease).micros()
        ])?;
    let held = Held {
        session: claim.session,
        fence: unsigned(fence, "the fence of a session")?,
    };
    let messages = load_messages(connection, bot, &held.session, claim.tail)?;
    let opening = match claim.opening {
        Some(opening) if lease.holder.is_none() && call::all_finished(connection, bot, &held.session)? => {
            let last = unsigned(lease.last_position, "the position of a message")?;
            Some(open(connection, bot, now, (&held, last), opening)?)
        }
        Some(_) | None => None,
    };
    Ok(Hold {
        fence: held.fence,
        abandoned_by: lease.holder,
        messages,
        opening,
    })
}

fn open(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    held: (&Held, u64),
    opening: Advance,
) -> Result<Opened, StoreError> {
    match write(connection, bot, now, held, opening) {
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

fn release(connection: &Connection, bot: &BotKey, held: &Held) -> Result<(), StoreError> {
    let lease = find(connection, bot, &held.session)?;
    if u64::try_from(lease.fence) != Ok(held.fence) {
        return Err(not_held(held));
    }
    free(connection, bot, &held.session)
}

fn free(connection: &Connection, bot: &BotKey, session: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE session SET holder = NULL, expires_micros = 0 WHERE bot = ?1 AND session = ?2",
        )?
        .execute(params![bot.as_str(), session])?;
    Ok(())
}

fn prolong(connection: &Connection, bot: &BotKey, held: &Held, until: Moment) -> Result<(), StoreError> {
    require_fence(connection, bot, held)?;
    connection
        .prepare_cached("UPDATE session SET expires_micros = ?3 WHERE bot = ?1 AND session = ?2")?
        .execute(params![bot.as_str(), held.session, until.micros()])?;
    Ok(())
}

fn step(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    held: &Held,
    advance: Advance,
) -> Result<u64, StoreError> {
    let last = require_hold(connection, bot, held, now)?;
    write(connection, bot, now, (held, last), advance)
}

/// Writes a step of a session that is held, behind its last position.
fn write(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    (held, last): (&Held, u64),
    advance: Advance,
) -> Result<u64, StoreError> {
    if let Some(ticket) = advance.once {
        let id = ticket.id.clone();
        if !once::take(connection, &Owner::from(bot), now, ticket)? {
            return Err(StoreError::Taken(id));
        }
    }
    for record in advance.records {
        let session = held.session.clone();
        audit::append(connection, bot, now, AuditRecord { session, ..record })?;
    }
    for row in advance.usage {
        usage::record(connection, bot, now, &held.session, row)?;
    }
    let last = append_messages(connection, bot, now, (&held.session, last), advance.messages)?;
    if advance.release {
        free(connection, bot, &held.session)?;
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
