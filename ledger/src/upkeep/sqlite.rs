//! Sweeping, in bounded transactions that go through the same writer as everything else.

use rusqlite::{Connection, params};

use super::{GRACE, Rows, Swept, UpkeepStore};
use crate::clock::Moment;
use crate::inbox::WAIT;
use crate::quota::sqlite::expire;
use crate::sqlite::{SqliteStore, unsigned};
use crate::store::StoreError;

impl UpkeepStore for SqliteStore {
    async fn sweep(&self, now: Moment, limit: u32) -> Result<Swept, StoreError> {
        self.write(move |connection| sweep(connection, now, limit)).await
    }

    async fn rows(&self) -> Result<Rows, StoreError> {
        self.look(rows).await
    }
}

fn rows(connection: &Connection) -> Result<Rows, StoreError> {
    let counted: (i64, i64, i64, i64, i64, i64) = connection
        .prepare_cached(
            "SELECT
               (SELECT COALESCE(SUM(sequence), 0) FROM audit_head),
               (SELECT COUNT(*) FROM session),
               (SELECT COUNT(*) FROM call WHERE finished_micros IS NULL),
               (SELECT COUNT(*) FROM taken),
               (SELECT COUNT(*) FROM accepted),
               (SELECT COUNT(*) FROM reservation WHERE ended_micros IS NULL)",
        )?
        .query_row((), |row| row.try_into())?;
    let (audit, sessions, calls, taken, accepted, reservations) = counted;
    Ok(Rows {
        audit_records: unsigned(audit, "a count")?,
        sessions: unsigned(sessions, "a count")?,
        unfinished_calls: unsigned(calls, "a count")?,
        taken_ids: unsigned(taken, "a count")?,
        accepted_messages: unsigned(accepted, "a count")?,
        open_reservations: unsigned(reservations, "a count")?,
    })
}

fn sweep(connection: &Connection, now: Moment, limit: u32) -> Result<Swept, StoreError> {
    let expired_reservations = expire(connection, now, limit)?;
    let old = now.before(GRACE);
    let mut forgotten_rows = 0_u64;
    for (statement, until) in [
        (
            "DELETE FROM taken WHERE (owner, scope, id) IN
               (SELECT owner, scope, id FROM taken WHERE expires_micros <= ?1 LIMIT ?2)",
            now,
        ),
        (
            "DELETE FROM accepted WHERE (owner, scope, id) IN
               (SELECT owner, scope, id FROM accepted WHERE accepted_micros <= ?1 LIMIT ?2)",
            now.before(WAIT),
        ),
        (
            "DELETE FROM quota_use WHERE (owner, binding, grant_name, quota, window_seconds, bucket_micros) IN
               (SELECT owner, binding, grant_name, quota, window_seconds, bucket_micros FROM quota_use
                WHERE leaves_micros <= ?1 LIMIT ?2)",
            old,
        ),
        (
            "DELETE FROM reservation WHERE (bot, reservation) IN
               (SELECT bot, reservation FROM reservation
                WHERE ended_micros IS NOT NULL AND ended_micros <= ?1 LIMIT ?2)",
            old,
        ),
    ] {
        let deleted = connection.prepare_cached(statement)?.execute(params![until.micros(), limit])?;
        forgotten_rows = forgotten_rows.saturating_add(u64::try_from(deleted).unwrap_or(u64::MAX));
    }
    Ok(Swept {
        expired_reservations,
        forgotten_rows,
    })
}
