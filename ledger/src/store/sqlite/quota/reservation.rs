//! Reservations: opened, and ended by a settlement or by expiry.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::SqliteConnection;

use super::super::{signed, unsigned};
use super::{bucket, in_use, row};
use crate::clock::Moment;
use crate::store::{Charge, CounterKey, StoreError, Use};
use crate::tenant::BotKey;

/// A reservation's row.
#[derive(sqlx::FromRow)]
struct Reservation {
    reserved_micros: i64,
    ended_micros: Option<i64>,
    settled: bool,
}

async fn find(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    reservation: &str,
) -> Result<Option<Reservation>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT reserved_micros, ended_micros, settled FROM reservation WHERE bot = ?1 AND reservation = ?2",
    )
    .bind(bot.as_str())
    .bind(reservation)
    .fetch_optional(connection)
    .await?)
}

/// What each counter of the reservation stands at.
async fn counters(
    connection: &mut SqliteConnection,
    bot: &str,
    reservation: &str,
) -> Result<BTreeMap<CounterKey, i64>, StoreError> {
    let rows: Vec<(String, String, String, String, i64, i64)> = sqlx::query_as(
        "SELECT owner, binding, grant_name, quota, window_seconds, amount FROM reserved
         WHERE bot = ?1 AND reservation = ?2",
    )
    .bind(bot)
    .bind(reservation)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(owner, binding, grant, quota, window, amount)| {
            let key = CounterKey {
                of: row::of(&owner, binding, grant),
                quota,
                window_seconds: unsigned(window, "a quota's window")?,
            };
            Ok((key, amount))
        })
        .collect()
}

pub(super) async fn open(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    now: Moment,
    reservation: &str,
    charges: &[Charge],
    keep: Duration,
) -> Result<(), StoreError> {
    if let Some(existing) = find(connection, bot, reservation).await? {
        return repeated(connection, bot, reservation, charges, &existing).await;
    }
    for charge in charges {
        let used = in_use(connection, bot, now, &charge.key).await?;
        if used
            .checked_add(charge.amount)
            .is_none_or(|sum| sum > charge.limit)
        {
            return Err(exhausted(charge, used));
        }
    }
    let expires = now.after(keep);
    sqlx::query(
        "INSERT INTO reservation (bot, reservation, reserved_micros, expires_micros) VALUES (?1, ?2, ?3, ?4)",
    )
    .bind(bot.as_str())
    .bind(reservation)
    .bind(now.micros())
    .bind(expires.micros())
    .execute(&mut *connection)
    .await?;
    for charge in charges {
        insert(connection, bot, now, reservation, charge, expires).await?;
    }
    Ok(())
}

/// The same id again: no error only if it asks for the same and is open.
async fn repeated(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    reservation: &str,
    charges: &[Charge],
    existing: &Reservation,
) -> Result<(), StoreError> {
    if existing.ended_micros.is_some() {
        return Err(StoreError::ReservationEnded(reservation.to_owned()));
    }
    let mut asked = BTreeMap::new();
    for charge in charges {
        asked.insert(charge.key.clone(), signed(charge.amount, "amount")?);
    }
    if counters(connection, bot.as_str(), reservation).await? == asked {
        return Ok(());
    }
    Err(StoreError::ReservationDiffers(reservation.to_owned()))
}

fn exhausted(charge: &Charge, used: u64) -> StoreError {
    StoreError::QuotaExhausted {
        counter: charge.key.clone(),
        used,
        amount: charge.amount,
        limit: charge.limit,
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    now: Moment,
    reservation: &str,
    charge: &Charge,
    expires: Moment,
) -> Result<(), StoreError> {
    let (_, leaves) = charge.key.bucket(now);
    let columns = row::Columns::new(bot, &charge.key)?;
    sqlx::query(
        "INSERT INTO reserved (bot, reservation, owner, binding, grant_name, quota, window_seconds, amount,
           expires_micros, leaves_micros, open)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1)",
    )
    .bind(bot.as_str())
    .bind(reservation)
    .bind(columns.owner)
    .bind(columns.binding)
    .bind(columns.grant)
    .bind(&charge.key.quota)
    .bind(columns.window)
    .bind(signed(charge.amount, "amount")?)
    .bind(expires.micros())
    .bind(leaves.micros())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn settle(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    now: Moment,
    reservation: &str,
    uses: &[Use],
) -> Result<(), StoreError> {
    let row = find(connection, bot, reservation)
        .await?
        .ok_or_else(|| StoreError::UnknownReservation(reservation.to_owned()))?;
    let mut settled = counters(connection, bot.as_str(), reservation).await?;
    let before = settled.clone();
    for actual in uses {
        let amount = settled
            .get_mut(&actual.key)
            .ok_or_else(|| unknown_counter(reservation, &actual.key))?;
        *amount = signed(actual.amount, "amount")?;
    }
    if row.settled {
        return Ok(());
    }
    let at = Moment::from_micros(row.reserved_micros);
    for (key, amount) in &settled {
        // What expired is in the bucket already: only the difference is missing.
        let counted = if row.ended_micros.is_some() {
            before.get(key).copied().unwrap_or(0)
        } else {
            0
        };
        bucket::add(connection, bot, key, at, amount.saturating_sub(counted)).await?;
    }
    end(connection, bot.as_str(), reservation, now, true).await
}

fn unknown_counter(reservation: &str, key: &CounterKey) -> StoreError {
    StoreError::UnknownCounter {
        reservation: reservation.to_owned(),
        counter: key.clone(),
    }
}

async fn end(
    connection: &mut SqliteConnection,
    bot: &str,
    reservation: &str,
    now: Moment,
    settled: bool,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE reserved SET open = 0 WHERE bot = ?1 AND reservation = ?2")
        .bind(bot)
        .bind(reservation)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE reservation SET ended_micros = ?3, settled = ?4 WHERE bot = ?1 AND reservation = ?2")
        .bind(bot)
        .bind(reservation)
        .bind(now.micros())
        .bind(settled)
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes use of at most `limit` reservations that ran out, and says how many there were.
pub(in super::super) async fn expire(
    connection: &mut SqliteConnection,
    now: Moment,
    limit: u32,
) -> Result<u64, StoreError> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT bot, reservation, reserved_micros FROM reservation
         WHERE ended_micros IS NULL AND expires_micros <= ?1 ORDER BY expires_micros LIMIT ?2",
    )
    .bind(now.micros())
    .bind(limit)
    .fetch_all(&mut *connection)
    .await?;
    let mut expired = 0_u64;
    for (bot, reservation, reserved) in rows {
        let key = BotKey::stored(bot);
        for (counter, amount) in counters(connection, key.as_str(), &reservation).await? {
            bucket::add(connection, &key, &counter, Moment::from_micros(reserved), amount).await?;
        }
        end(connection, key.as_str(), &reservation, now, false).await?;
        expired = expired.saturating_add(1);
    }
    Ok(expired)
}
