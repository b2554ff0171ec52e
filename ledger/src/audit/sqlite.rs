//! The chain in two tables: its records, and its head.

use monstrum_wire::ledger::AuditRecord;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::chain::Head;
use super::{AuditStore, Page};
use crate::clock::Moment;
use crate::sqlite::{SqliteStore, signed, unsigned};
use crate::store::StoreError;
use crate::tenant::BotKey;

impl AuditStore for SqliteStore {
    async fn append(&self, bot: &BotKey, now: Moment, entry: AuditRecord) -> Result<Head, StoreError> {
        let bot = bot.clone();
        self.write(move |connection| append(connection, &bot, now, entry))
            .await
    }

    async fn head(&self, bot: &BotKey) -> Result<Head, StoreError> {
        let bot = bot.clone();
        self.look(move |connection| head(connection, &bot)).await
    }

    async fn read(&self, bot: &BotKey, page: &Page) -> Result<Vec<AuditRecord>, StoreError> {
        let (bot, page) = (bot.clone(), page.clone());
        self.look(move |connection| records(connection, &bot, &page))
            .await
    }
}

pub(crate) fn records(
    connection: &Connection,
    bot: &BotKey,
    page: &Page,
) -> Result<Vec<AuditRecord>, StoreError> {
    let mut statement = connection.prepare_cached(match page.session {
        None => {
            "SELECT * FROM audit_record WHERE bot = ?1 AND sequence BETWEEN ?2 AND ?3
             ORDER BY sequence LIMIT ?4"
        }
        Some(_) => {
            "SELECT * FROM audit_record WHERE bot = ?1 AND session = ?5 AND sequence BETWEEN ?2 AND ?3
             ORDER BY sequence LIMIT ?4"
        }
    })?;
    let (from, to) = (bounded(page.from), bounded(page.to));
    let mut rows = match &page.session {
        None => statement.query(params![bot.as_str(), from, to, page.limit])?,
        Some(session) => statement.query(params![bot.as_str(), from, to, page.limit, session])?,
    };
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row)?);
    }
    Ok(records)
}

/// No sequence is beyond SQLite's integers.
fn bounded(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// A record as its row says it.
fn record(row: &Row<'_>) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        sequence: unsigned(row.get("sequence")?, "a record's sequence")?,
        bot: row.get("bot")?,
        time_micros: row.get("time_micros")?,
        kind: row.get("kind")?,
        session: row.get("session")?,
        turn: row.get("turn")?,
        call_id: row.get("call_id")?,
        user: row.get("user")?,
        tool: row.get("tool")?,
        verdict: row.get("verdict")?,
        reason: row.get("reason")?,
        grant: row.get("grant_name")?,
        policy_digest: row.get("policy_digest")?,
        arguments_json: row.get("arguments_json")?,
        detail_json: row.get("detail_json")?,
        trace_id: row.get("trace_id")?,
        previous_hash: row.get("previous_hash")?,
        hash: row.get("hash")?,
    })
}

pub(crate) fn head(connection: &Connection, bot: &BotKey) -> Result<Head, StoreError> {
    let row: Option<(i64, String, i64)> = connection
        .prepare_cached("SELECT sequence, hash, time_micros FROM audit_head WHERE bot = ?1")?
        .query_row(params![bot.as_str()], |row| row.try_into())
        .optional()?;
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
pub(crate) fn append(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    entry: AuditRecord,
) -> Result<Head, StoreError> {
    let record = head(connection, bot)?.extended(bot, now, entry);
    insert(connection, &record)?;
    connection
        .prepare_cached(
            "INSERT INTO audit_head (bot, sequence, hash, time_micros) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (bot) DO UPDATE SET
           sequence = excluded.sequence, hash = excluded.hash, time_micros = excluded.time_micros",
        )?
        .execute(params![
            bot.as_str(),
            signed(record.sequence, "the chain")?,
            &record.hash,
            record.time_micros
        ])?;
    Ok(Head::of(&record))
}

fn insert(connection: &Connection, record: &AuditRecord) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO audit_record
           (bot, sequence, time_micros, kind, session, turn, call_id, user, tool, verdict, reason,
            grant_name, policy_digest, arguments_json, detail_json, trace_id, previous_hash, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )?
        .execute(params![
            &record.bot,
            signed(record.sequence, "the chain")?,
            record.time_micros,
            &record.kind,
            &record.session,
            &record.turn,
            &record.call_id,
            &record.user,
            &record.tool,
            &record.verdict,
            &record.reason,
            &record.grant,
            &record.policy_digest,
            &record.arguments_json,
            &record.detail_json,
            &record.trace_id,
            &record.previous_hash,
            &record.hash
        ])?;
    Ok(())
}
