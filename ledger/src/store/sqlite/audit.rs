//! The chain in two tables: its records, and its head.

use monstrum_wire::ledger::AuditRecord;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _, SqliteConnection};

use super::{SqliteStore, signed, unsigned};
use crate::chain::Head;
use crate::clock::Moment;
use crate::store::{AuditStore, Page, StoreError};
use crate::tenant::BotKey;

impl AuditStore for SqliteStore {
    async fn append(&self, bot: &BotKey, now: Moment, entry: AuditRecord) -> Result<Head, StoreError> {
        let bot = bot.clone();
        self.write(move |connection| Box::pin(async move { append(connection, &bot, now, entry).await }))
            .await
    }

    async fn head(&self, bot: &BotKey) -> Result<Head, StoreError> {
        head(&mut *self.readers.acquire().await?, bot).await
    }

    async fn read(&self, bot: &BotKey, page: &Page) -> Result<Vec<AuditRecord>, StoreError> {
        let from = i64::try_from(page.from).unwrap_or(i64::MAX);
        let to = i64::try_from(page.to).unwrap_or(i64::MAX);
        let rows: Vec<Stored> = match &page.session {
            None => {
                sqlx::query_as(
                    "SELECT * FROM audit_record WHERE bot = ?1 AND sequence BETWEEN ?2 AND ?3
                     ORDER BY sequence LIMIT ?4",
                )
                .bind(bot.as_str())
                .bind(from)
                .bind(to)
                .bind(page.limit)
                .fetch_all(&self.readers)
                .await?
            }
            Some(session) => sqlx::query_as(
                "SELECT * FROM audit_record WHERE bot = ?1 AND session = ?5 AND sequence BETWEEN ?2 AND ?3
                     ORDER BY sequence LIMIT ?4",
            )
            .bind(bot.as_str())
            .bind(from)
            .bind(to)
            .bind(page.limit)
            .bind(session)
            .fetch_all(&self.readers)
            .await?,
        };
        Ok(rows.into_iter().map(|Stored(record)| record).collect())
    }
}

/// A record as its row says it.
struct Stored(AuditRecord);

impl FromRow<'_, SqliteRow> for Stored {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let sequence: i64 = row.try_get("sequence")?;
        Ok(Self(AuditRecord {
            sequence: u64::try_from(sequence).map_err(|error| sqlx::Error::Decode(error.into()))?,
            bot: row.try_get("bot")?,
            time_micros: row.try_get("time_micros")?,
            kind: row.try_get("kind")?,
            session: row.try_get("session")?,
            turn: row.try_get("turn")?,
            call_id: row.try_get("call_id")?,
            user: row.try_get("user")?,
            tool: row.try_get("tool")?,
            verdict: row.try_get("verdict")?,
            reason: row.try_get("reason")?,
            grant: row.try_get("grant_name")?,
            policy_digest: row.try_get("policy_digest")?,
            arguments_json: row.try_get("arguments_json")?,
            detail_json: row.try_get("detail_json")?,
            trace_id: row.try_get("trace_id")?,
            previous_hash: row.try_get("previous_hash")?,
            hash: row.try_get("hash")?,
        }))
    }
}

async fn head(connection: &mut SqliteConnection, bot: &BotKey) -> Result<Head, StoreError> {
    let row: Option<(i64, String, i64)> =
        sqlx::query_as("SELECT sequence, hash, time_micros FROM audit_head WHERE bot = ?1")
            .bind(bot.as_str())
            .fetch_optional(connection)
            .await?;
    match row {
        None => Ok(Head::genesis()),
        Some((sequence, hash, time)) => Ok(Head {
            sequence: unsigned(sequence, "the head of a chain")?,
            hash,
            time: Moment::from_micros(time),
        }),
    }
}

/// Within the caller's transaction.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    now: Moment,
    entry: AuditRecord,
) -> Result<Head, StoreError> {
    let record = head(connection, bot).await?.extended(bot, now, entry);
    insert(connection, &record).await?;
    sqlx::query(
        "INSERT INTO audit_head (bot, sequence, hash, time_micros) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (bot) DO UPDATE SET
           sequence = excluded.sequence, hash = excluded.hash, time_micros = excluded.time_micros",
    )
    .bind(bot.as_str())
    .bind(signed(record.sequence, "the chain")?)
    .bind(&record.hash)
    .bind(record.time_micros)
    .execute(connection)
    .await?;
    Ok(Head::of(&record))
}

async fn insert(connection: &mut SqliteConnection, record: &AuditRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit_record (bot, sequence, time_micros, kind, session, turn, call_id, user, tool, verdict,
           reason, grant_name, policy_digest, arguments_json, detail_json, trace_id, previous_hash, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )
    .bind(&record.bot)
    .bind(signed(record.sequence, "the chain")?)
    .bind(record.time_micros)
    .bind(&record.kind)
    .bind(&record.session)
    .bind(&record.turn)
    .bind(&record.call_id)
    .bind(&record.user)
    .bind(&record.tool)
    .bind(&record.verdict)
    .bind(&record.reason)
    .bind(&record.grant)
    .bind(&record.policy_digest)
    .bind(&record.arguments_json)
    .bind(&record.detail_json)
    .bind(&record.trace_id)
    .bind(&record.previous_hash)
    .bind(&record.hash)
    .execute(connection)
    .await?;
    Ok(())
}
