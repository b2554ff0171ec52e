//! Calls; each change is one transaction with its audit record.

use monstrum_wire::ledger::{AuditRecord, UnfinishedCall};
use sqlx::SqliteConnection;

use super::session::{require_hold, require_known};
use super::{SqliteStore, audit};
use crate::clock::Moment;
use crate::store::{CallStore, Outcome, Start, StoreError};
use crate::tenant::BotKey;

impl CallStore for SqliteStore {
    async fn start_call(&self, bot: &BotKey, now: Moment, start: Start) -> Result<u64, StoreError> {
        let bot = bot.clone();
        self.write(move |connection| Box::pin(async move { begin(connection, &bot, now, start).await }))
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
        self.write(move |connection| {
            Box::pin(async move { finish(connection, &bot, now, call, outcome, record).await })
        })
        .await
    }

    async fn unfinished_calls(
        &self,
        bot: &BotKey,
        session: &str,
        limit: u32,
    ) -> Result<Vec<UnfinishedCall>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        require_known(&mut connection, bot, session).await?;
        let rows: Vec<(String, String, String, bool, i64)> = sqlx::query_as(
            "SELECT call_id, turn, tool, idempotent, started_micros FROM call
             WHERE bot = ?1 AND session = ?2 AND finished_micros IS NULL
             ORDER BY started_micros, call_id LIMIT ?3",
        )
        .bind(bot.as_str())
        .bind(session)
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(
                |(call_id, turn, tool, idempotent, started_micros)| UnfinishedCall {
                    call_id,
                    turn,
                    tool,
                    idempotent,
                    started_micros,
                },
            )
            .collect())
    }
}

async fn begin(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    now: Moment,
    start: Start,
) -> Result<u64, StoreError> {
    require_hold(connection, bot, &start.held, now).await?;
    let inserted = sqlx::query(
        "INSERT INTO call (bot, call_id, session, turn, tool, idempotent, started_micros)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (bot, call_id) DO NOTHING",
    )
    .bind(bot.as_str())
    .bind(&start.call)
    .bind(&start.held.session)
    .bind(&start.turn)
    .bind(&start.tool)
    .bind(start.idempotent)
    .bind(now.micros())
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
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
    Ok(audit::append(connection, bot, now, record).await?.sequence)
}

async fn finish(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    now: Moment,
    call: String,
    outcome: Outcome,
    record: AuditRecord,
) -> Result<u64, StoreError> {
    let row: Option<(String, String, String, Option<i64>)> = sqlx::query_as(
        "SELECT session, turn, tool, finished_micros FROM call WHERE bot = ?1 AND call_id = ?2",
    )
    .bind(bot.as_str())
    .bind(&call)
    .fetch_optional(&mut *connection)
    .await?;
    let Some((session, turn, tool, finished)) = row else {
        return Err(StoreError::UnknownCall(call));
    };
    if finished.is_some() {
        return Err(StoreError::CallFinished(call));
    }
    sqlx::query("UPDATE call SET outcome = ?3, finished_micros = ?4 WHERE bot = ?1 AND call_id = ?2")
        .bind(bot.as_str())
        .bind(&call)
        .bind(outcome.as_str())
        .bind(now.micros())
        .execute(&mut *connection)
        .await?;
    let record = AuditRecord {
        kind: "call.finished".to_owned(),
        session,
        turn,
        call_id: call,
        tool,
        ..record
    };
    Ok(audit::append(connection, bot, now, record).await?.sequence)
}
