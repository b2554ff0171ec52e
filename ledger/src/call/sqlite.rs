//! Calls; each change is one transaction with its audit record.

use monstrum_wire::ledger::UnfinishedCall;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rules::{self, CallRow};
use super::{CallEnd, CallStart, CallStore};
use crate::audit::sqlite as audit;
use crate::clock::Moment;
use crate::quota::sqlite as quota;
use crate::session::sqlite as session;
use crate::sqlite::SqliteStore;
use crate::store::StoreError;
use crate::tenant::{BotKey, Spender};

impl CallStore for SqliteStore {
    async fn start_call(&self, spender: &Spender, now: Moment, start: CallStart) -> Result<u64, StoreError> {
        let spender = spender.clone();
        self.write(move |connection| begin(connection, &spender, now, start))
            .await
    }

    async fn finish_call(&self, bot: &BotKey, now: Moment, end: CallEnd) -> Result<u64, StoreError> {
        let bot = bot.clone();
        self.write(move |connection| finish(connection, &bot, now, end))
            .await
    }

    async fn unfinished_calls(
        &self,
        bot: &BotKey,
        session: &str,
        limit: u32,
    ) -> Result<Vec<UnfinishedCall>, StoreError> {
        let (bot, session) = (bot.clone(), session.to_owned());
        self.look(move |connection| unfinished(connection, &bot, &session, limit))
            .await
    }
}

fn unfinished(
    connection: &Connection,
    bot: &BotKey,
    id: &str,
    limit: u32,
) -> Result<Vec<UnfinishedCall>, StoreError> {
    session::require_known(connection, bot, id)?;
    let call = |row: &Row<'_>| {
        Ok(UnfinishedCall {
            call_id: row.get(0)?,
            turn: row.get(1)?,
            tool: row.get(2)?,
            idempotent: row.get(3)?,
            started_micros: row.get(4)?,
        })
    };
    let mut statement = connection.prepare_cached(
        "SELECT call_id, turn, tool, idempotent, started_micros FROM call
         WHERE bot = ?1 AND session = ?2 AND finished_micros IS NULL
         ORDER BY started_micros, call_id LIMIT ?3",
    )?;
    let calls = statement.query_map(params![bot.as_str(), id, limit], call)?;
    Ok(calls.collect::<Result<_, _>>()?)
}

/// Whether each call of the session was finished.
pub(crate) fn all_finished(connection: &Connection, bot: &BotKey, session: &str) -> Result<bool, StoreError> {
    let open = "SELECT 1 FROM call WHERE bot = ?1 AND session = ?2 AND finished_micros IS NULL LIMIT 1";
    Ok(!connection
        .prepare_cached(open)?
        .exists(params![bot.as_str(), session])?)
}

fn begin(
    connection: &Connection,
    spender: &Spender,
    now: Moment,
    mut start: CallStart,
) -> Result<u64, StoreError> {
    let bot = &spender.bot;
    session::require_living(connection, bot, &start.lease, now)?;
    if !insert(connection, bot, now, &start)? {
        return Err(StoreError::CallStarted(start.call));
    }
    if let Some(reserve) = start.reserve.take() {
        quota::reserve(
            connection,
            spender,
            now,
            &start.call,
            &reserve.charges,
            reserve.keep,
        )?;
    }
    Ok(audit::append(connection, bot, now, rules::started(start))?.sequence)
}

/// Whether the call's id was free.
fn insert(connection: &Connection, bot: &BotKey, now: Moment, start: &CallStart) -> Result<bool, StoreError> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO call (bot, call_id, session, turn, tool, idempotent, started_micros)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (bot, call_id) DO NOTHING",
        )?
        .execute(params![
            bot.as_str(),
            &start.call,
            &start.lease.session,
            &start.turn,
            &start.tool,
            start.idempotent,
            now.micros()
        ])?;
    Ok(inserted == 1)
}

fn finish(connection: &Connection, bot: &BotKey, now: Moment, mut end: CallEnd) -> Result<u64, StoreError> {
    let (call, outcome, uses) = (end.call.clone(), end.outcome, end.uses.take());
    let record = rules::finished(find(connection, bot, &call)?, end)?;
    connection
        .prepare_cached("UPDATE call SET outcome = ?3, finished_micros = ?4 WHERE bot = ?1 AND call_id = ?2")?
        .execute(params![bot.as_str(), &call, outcome.as_str(), now.micros()])?;
    if let Some(uses) = uses {
        quota::settle_if_known(connection, bot, now, &call, &uses)?;
    }
    Ok(audit::append(connection, bot, now, record)?.sequence)
}

fn find(connection: &Connection, bot: &BotKey, call: &str) -> Result<Option<CallRow>, StoreError> {
    let found = |row: &Row<'_>| {
        Ok(CallRow {
            session: row.get(0)?,
            turn: row.get(1)?,
            tool: row.get(2)?,
            is_finished: row.get(3)?,
        })
    };
    Ok(connection
        .prepare_cached(
            "SELECT session, turn, tool, finished_micros IS NOT NULL FROM call
             WHERE bot = ?1 AND call_id = ?2",
        )?
        .query_row(params![bot.as_str(), call], found)
        .optional()?)
}
