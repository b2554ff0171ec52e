//! Quota counters: buckets of settled use, and reservations that are open.

mod bucket;
mod reservation;
mod row;

use std::time::Duration;

use sqlx::SqliteConnection;

use super::{SqliteStore, unsigned};
use crate::clock::Moment;
use crate::store::{Charge, CounterKey, QuotaStore, StoreError, Use};
use crate::tenant::BotKey;

pub(super) use reservation::expire as expire_reservations;

impl QuotaStore for SqliteStore {
    async fn quota_use(
        &self,
        bot: &BotKey,
        now: Moment,
        keys: Vec<CounterKey>,
    ) -> Result<Vec<Use>, StoreError> {
        use sqlx::Acquire as _;
        let mut connection = self.readers.acquire().await?;
        // One snapshot for all of them.
        let mut snapshot = connection.begin().await?;
        let mut uses = Vec::with_capacity(keys.len());
        for key in keys {
            let amount = in_use(&mut snapshot, bot, now, &key).await?;
            uses.push(Use { key, amount });
        }
        Ok(uses)
    }

    async fn reserve(
        &self,
        bot: &BotKey,
        now: Moment,
        reservation: &str,
        charges: Vec<Charge>,
        keep: Duration,
    ) -> Result<(), StoreError> {
        let (bot, reservation) = (bot.clone(), reservation.to_owned());
        self.write(move |connection| {
            Box::pin(
                async move { reservation::open(connection, &bot, now, &reservation, &charges, keep).await },
            )
        })
        .await
    }

    async fn settle(
        &self,
        bot: &BotKey,
        now: Moment,
        reservation: &str,
        uses: Vec<Use>,
    ) -> Result<(), StoreError> {
        let (bot, reservation) = (bot.clone(), reservation.to_owned());
        self.write(move |connection| {
            Box::pin(async move { reservation::settle(connection, &bot, now, &reservation, &uses).await })
        })
        .await
    }
}

/// Settled use whose bucket is still in the window, and every reservation that is open: in full until it expires, and
/// then, until the sweep makes it use, as long as its bucket is in the window.
async fn in_use(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    now: Moment,
    key: &CounterKey,
) -> Result<u64, StoreError> {
    let columns = row::Columns::new(bot, key)?;
    let settled: i64 = sqlx::query_scalar(
        "SELECT COALESCE(SUM(amount), 0) FROM quota_use
         WHERE owner = ?1 AND binding = ?2 AND grant_name = ?3 AND quota = ?4 AND window_seconds = ?5
           AND leaves_micros > ?6",
    )
    .bind(&columns.owner)
    .bind(columns.binding)
    .bind(columns.grant)
    .bind(&key.quota)
    .bind(columns.window)
    .bind(now.micros())
    .fetch_one(&mut *connection)
    .await?;
    let reserved: i64 = sqlx::query_scalar(
        "SELECT COALESCE(SUM(amount), 0) FROM reserved
         WHERE owner = ?1 AND binding = ?2 AND grant_name = ?3 AND quota = ?4 AND window_seconds = ?5
           AND open = 1 AND (expires_micros > ?6 OR leaves_micros > ?6)",
    )
    .bind(&columns.owner)
    .bind(columns.binding)
    .bind(columns.grant)
    .bind(&key.quota)
    .bind(columns.window)
    .bind(now.micros())
    .fetch_one(connection)
    .await?;
    Ok(unsigned(settled, "a quota's use")?.saturating_add(unsigned(reserved, "a reservation")?))
}
