//! Sweeping, in bounded transactions that go through the same writer as everything else.

use std::time::Duration;

use sqlx::SqliteConnection;

use super::quota::expire_reservations;
use super::{SqliteStore, unsigned};
use crate::clock::Moment;
use crate::store::{Rows, StoreError, Swept, UpkeepStore};

/// How long what has run out is kept: a settlement that comes late finds its reservation, and use survives a clock that was
/// wrong for a while.
const GRACE: Duration = Duration::from_hours(24);

/// How long an accepted message waits for its channel; the channel itself gives up much earlier, unless it is gone.
const WAIT: Duration = Duration::from_hours(7 * 24);

impl UpkeepStore for SqliteStore {
    async fn sweep(&self, now: Moment, limit: u32) -> Result<Swept, StoreError> {
        self.write(move |connection| Box::pin(async move { sweep(connection, now, limit).await }))
            .await
    }

    async fn rows(&self) -> Result<Rows, StoreError> {
        let (audit, sessions, calls, taken, accepted, reservations): (i64, i64, i64, i64, i64, i64) =
            sqlx::query_as(
                "SELECT
               (SELECT COALESCE(SUM(sequence), 0) FROM audit_head),
               (SELECT COUNT(*) FROM session),
               (SELECT COUNT(*) FROM call WHERE finished_micros IS NULL),
               (SELECT COUNT(*) FROM taken),
               (SELECT COUNT(*) FROM accepted),
               (SELECT COUNT(*) FROM reservation WHERE ended_micros IS NULL)",
            )
            .fetch_one(&self.readers)
            .await?;
        Ok(Rows {
            audit_records: unsigned(audit, "a count")?,
            sessions: unsigned(sessions, "a count")?,
            unfinished_calls: unsigned(calls, "a count")?,
            taken_ids: unsigned(taken, "a count")?,
            accepted_messages: unsigned(accepted, "a count")?,
            open_reservations: unsigned(reservations, "a count")?,
        })
    }
}

async fn sweep(connection: &mut SqliteConnection, now: Moment, limit: u32) -> Result<Swept, StoreError> {
    let expired_reservations = expire_reservations(connection, now, limit).await?;
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
        let deleted = sqlx::query(statement)
            .bind(until.micros())
            .bind(limit)
            .execute(&mut *connection)
            .await?;
        forgotten_rows = forgotten_rows.saturating_add(deleted.rows_affected());
    }
    Ok(Swept {
        expired_reservations,
        forgotten_rows,
    })
}
