//! Quota counters: buckets of settled use, and reservations that are open.

mod bucket;
mod reservation;
mod row;

use std::time::Duration;

use rusqlite::{Connection, params};

use super::{Charge, CounterKey, QuotaStore, Use};
use crate::clock::Moment;
use crate::sqlite::{SqliteStore, unsigned};
use crate::store::StoreError;
use crate::tenant::{BotKey, Spender};

pub(crate) use reservation::{expire, reserve, settle_if_known};

impl QuotaStore for SqliteStore {
    async fn quota_use(
        &self,
        spender: &Spender,
        now: Moment,
        keys: Vec<CounterKey>,
    ) -> Result<Vec<Use>, StoreError> {
        let spender = spender.clone();
        self.look(move |connection| uses(connection, &spender, now, keys))
            .await
    }

    async fn reserve(
        &self,
        spender: &Spender,
        now: Moment,
        reservation: &str,
        charges: Vec<Charge>,
        keep: Duration,
    ) -> Result<(), StoreError> {
        let (spender, reservation) = (spender.clone(), reservation.to_owned());
        self.write(move |connection| {
            reservation::reserve(connection, &spender, now, &reservation, &charges, keep)
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
        self.write(move |connection| reservation::settle(connection, &bot, now, &reservation, &uses))
            .await
    }
}

/// One snapshot for all of them.
fn uses(
    connection: &Connection,
    spender: &Spender,
    now: Moment,
    keys: Vec<CounterKey>,
) -> Result<Vec<Use>, StoreError> {
    let snapshot = connection.unchecked_transaction()?;
    let used = |key: CounterKey| {
        let owner = key.owner(spender)?;
        let amount = in_use(&snapshot, &row::Columns::of(owner.as_str(), &key)?, now)?;
        Ok(Use { key, amount })
    };
    keys.into_iter().map(used).collect()
}

/// Settled use whose bucket is still in the window, and every reservation that is open: in full until it expires, and
/// then, until the sweep makes it use, as long as its bucket is in the window.
fn in_use(connection: &Connection, columns: &row::Columns<'_>, now: Moment) -> Result<u64, StoreError> {
    let sum = |statement, what| {
        let counter = params![
            columns.owner,
            columns.binding,
            columns.grant,
            columns.quota,
            columns.window,
            now.micros()
        ];
        let sum = connection
            .prepare_cached(statement)?
            .query_row(counter, |row| row.get(0))?;
        unsigned(sum, what)
    };
    let settled = sum(
        "SELECT COALESCE(SUM(amount), 0) FROM quota_use
         WHERE owner = ?1 AND binding = ?2 AND grant_name = ?3 AND quota = ?4 AND window_seconds = ?5
           AND leaves_micros > ?6",
        "a quota's use",
    )?;
    let reserved = sum(
        "SELECT COALESCE(SUM(amount), 0) FROM reserved
         WHERE owner = ?1 AND binding = ?2 AND grant_name = ?3 AND quota = ?4 AND window_seconds = ?5
           AND open = 1 AND (expires_micros > ?6 OR leaves_micros > ?6)",
        "a reservation",
    )?;
    Ok(settled.saturating_add(reserved))
}
