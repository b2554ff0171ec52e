//! Calls; each change is one transaction with its audit record.

use monstrum_wire::ledger::{AuditRecord, UnfinishedCall};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::session::{require_hold, require_known};
use super::{SqliteStore, audit};
use crate::clock::Moment;
use crate::store::{CallStore, Outcome, Start, StoreError};
use crate::tenant::BotKey;

impl CallStore for SqliteStore {
    async fn start_call(&self, bot: &BotKey, now: Moment, start: Start) -> Result<u64, StoreError> {
        let bot = bot.clone();
        self.write(move |connection| begin(connection, &bot, now, start))
            .await
    }

    async fn finish_call(
        &self,
        bot: &BotKey,
        now: Moment,
        call: &str,
        outcome: Outcome,
        record: AuditRecord,
    ) -> Result<u64, StoreError> {
        let (bot, call) = (bot.clone(), call.to_owned());
        self.write(move |connection| finish(connection, &bot, now, call, outcome, record))
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
    session: &str,
    limit: u32,
) -> Result<Vec<UnfinishedCall>, StoreError> {
    require_known(connection, bot, session)?;
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
    let calls = statement.query_map(params![bot.as_str(), session, limit], call)?;
    Ok(calls.collect::<Result<_, _>>()?)
}

/// Whether each call of the session was finished.
pub(super) fn all_finished(connection: &Connection, bot: &BotKey, session: &str) -> Result<bool, StoreError> {
    let open = "SELECT 1 FROM call WHERE bot = ?1 AND session = ?2 AND finished_micros IS NULL LIMIT 1";
    Ok(!connection
        .prepare_cached(open)?
        .exists(params![bot.as_str(), session])?)
}

fn begin(connection: &Connection, bot: &BotKey, now: Moment, start: Start) -> Result<u64, StoreError> {
    require_hold(connection, bot, &start.held, now)?;
    let inserted = connection
        .prepare_cached(
            "INSERT INTO call (bot, call_id, session, turn, tool, idempotent, started_micros)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (bot, call_id) DO NOTHING",
        )?
        .execute(params![
            bot.as_str(),
            &start.call,
            &start.held.session,
            &start.turn,
            &start.tool,
            start.idempotent,
            now.micros()
        ])?;
    if inserted == 0 {
        return Err(StoreError::CallStarted(start.call));
    }
    let record = AuditRecord {
        kind: "call.started".to_owned(),
        session: start.held.session,
        turn: start.turn,
        call_id: start.call,
        tool: start.tool,
        ..start.record
    };
    Ok(audit::append(connection, bot, now, record)?.sequence)
}

fn finish(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    call: String,
    outcome: Outcome,
    record: AuditRecord,
) -> Result<u64, StoreError> {
    let row: Option<(String, String, String, Option<i64>)> = connection
        .prepare_cached(
            "SELECT session, turn, tool, finished_micros FROM call WHERE bot = ?1 AND call_id = ?2",
        )?
        .query_row(params![bot.as_str(), &call], |row| row.try_into())
        .optional()?;
    let Some((session, turn, tool, finished)) = row else {
        return Err(StoreError::UnknownCall(call));
    };
    if finished.is_some() {
        return Err(StoreError::CallFinished(call));
    }
    connection
        .prepare_cached("UPDATE call SET outcome = ?3, finished_micros = ?4 WHERE bot = ?1 AND call_id = ?2")?
        .execute(params![bot.as_str(), &call, outcome.as_str(), now.micros()])?;
    let record = AuditRecord {
        kind: "call.finished".to_owned(),
        session,
        turn,
        call_id: call,
        tool,
        ..record
    };
    Ok(audit::append(connection, bot, now, record)?.sequence)
}
