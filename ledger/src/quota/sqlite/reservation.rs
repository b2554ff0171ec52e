//! Reservations: opened, and ended by a settlement or by expiry.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::rules::{self, Counters, ReservationRow, Reserved};
use super::super::{Charge, CounterKey, Use};
use super::{bucket, in_use, row};
use crate::clock::Moment;
use crate::sqlite::{signed, unsigned};
use crate::store::StoreError;
use crate::tenant::{BotKey, Spender};

fn find(
    connection: &Connection,
    bot: &BotKey,
    reservation: &str,
) -> Result<Option<ReservationRow>, StoreError> {
    let found = |row: &Row<'_>| {
        Ok(ReservationRow {
            reserved: Moment::from_micros(row.get(0)?),
            is_ended: row.get(1)?,
            is_settled: row.get(2)?,
        })
    };
    Ok(connection
        .prepare_cached(
            "SELECT reserved_micros, ended_micros IS NOT NULL, settled FROM reservation
             WHERE bot = ?1 AND reservation = ?2",
        )?
        .query_row(params![bot.as_str(), reservation], found)
        .optional()?)
}

fn counters(connection: &Connection, bot: &str, reservation: &str) -> Result<Counters, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT owner, binding, grant_name, quota, window_seconds, amount FROM reserved
         WHERE bot = ?1 AND reservation = ?2",
    )?;
    let mut rows = statement.query(params![bot, reservation])?;
    let mut counters = Counters::new();
    while let Some(row) = rows.next()? {
        let owner: String = row.get(0)?;
        let key = CounterKey {
            of: row::of(&owner, row.get(1)?, row.get(2)?),
            quota: row.get(3)?,
            window_seconds: unsigned(row.get(4)?, "a quota's window")?,
        };
        let amount = unsigned(row.get(5)?, "a reservation")?;
        counters.insert(key, Reserved { owner, amount });
    }
    Ok(counters)
}

/// Reserves all charges or none, within the caller's transaction.
pub(crate) fn reserve(
    connection: &Connection,
    spender: &Spender,
    now: Moment,
    reservation: &str,
    charges: &[Charge],
    keep: Duration,
) -> Result<(), StoreError> {
    let bot = &spender.bot;
    if let Some(existing) = find(connection, bot, reservation)? {
        let holds = counters(connection, bot.as_str(), reservation)?;
        return existing.require_same(reservation, &holds, &rules::reserved(spender, charges)?);
    }
    for charge in charges {
        let owner = charge.key.owner(spender)?;
        let columns = row::Columns::of(owner.as_str(), &charge.key)?;
        rules::require_room(charge, in_use(connection, &columns, now)?)?;
    }
    let expires = now.after(keep);
    connection
        .prepare_cached(
            "INSERT INTO reservation (bot, reservation, reserved_micros, expires_micros)
         VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![bot.as_str(), reservation, now.micros(), expires.micros()])?;
    for charge in charges {
        insert(connection, spender, now, reservation, charge, expires)?;
    }
    Ok(())
}

fn insert(
    connection: &Connection,
    spender: &Spender,
    now: Moment,
    reservation: &str,
    charge: &Charge,
    expires: Moment,
) -> Result<(), StoreError> {
    let (_, leaves) = charge.key.bucket(now);
    let owner = charge.key.owner(spender)?;
    let columns = row::Columns::of(owner.as_str(), &charge.key)?;
    connection
        .prepare_cached(
            "INSERT INTO reserved
           (bot, reservation, owner, binding, grant_name, quota, window_seconds, amount,
            expires_micros, leaves_micros, open)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1)",
        )?
        .execute(params![
            spender.bot.as_str(),
            reservation,
            columns.owner,
            columns.binding,
            columns.grant,
            columns.quota,
            columns.window,
            signed(charge.amount, "amount")?,
            expires.micros(),
            leaves.micros()
        ])?;
    Ok(())
}

pub(super) fn settle(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    reservation: &str,
    uses: &[Use],
) -> Result<(), StoreError> {
    let row = find(connection, bot, reservation)?
        .ok_or_else(|| StoreError::UnknownReservation(reservation.to_owned()))?;
    let holds = counters(connection, bot.as_str(), reservation)?;
    let Some(changes) = row.settled(reservation, &holds, uses)? else {
        return Ok(());
    };
    bucket::change(connection, row.reserved, &changes)?;
    end(connection, bot.as_str(), reservation, now, true)
}

/// Settles within the caller's transaction, where there is such a reservation.
pub(crate) fn settle_if_known(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    reservation: &str,
    uses: &[Use],
) -> Result<(), StoreError> {
    match settle(connection, bot, now, reservation, uses) {
        // What was used of nothing is nobody's: that the call ended is to be recorded all the same.
        Err(StoreError::UnknownReservation(_)) => Ok(()),
        settled => settled,
    }
}

fn end(
    connection: &Connection,
    bot: &str,
    reservation: &str,
    now: Moment,
    settled: bool,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE reserved SET open = 0 WHERE bot = ?1 AND reservation = ?2")?
        .execute(params![bot, reservation])?;
    connection
        .prepare_cached(
            "UPDATE reservation SET ended_micros = ?3, settled = ?4 WHERE bot = ?1 AND reservation = ?2",
        )?
        .execute(params![bot, reservation, now.micros(), settled])?;
    Ok(())
}

/// Makes use of at most `limit` reservations that ran out, and says how many there were.
pub(crate) fn expire(connection: &Connection, now: Moment, limit: u32) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT bot, reservation, reserved_micros FROM reservation
         WHERE ended_micros IS NULL AND expires_micros <= ?1 ORDER BY expires_micros LIMIT ?2",
    )?;
    let rows = statement.query_map(params![now.micros(), limit], |row| row.try_into())?;
    let rows: Vec<(String, String, i64)> = rows.collect::<Result<_, _>>()?;
    let mut expired = 0_u64;
    for (bot, reservation, reserved) in rows {
        let changes = rules::expired(counters(connection, &bot, &reservation)?)?;
        bucket::change(connection, Moment::from_micros(reserved), &changes)?;
        end(connection, &bot, &reservation, now, false)?;
        expired = expired.saturating_add(1);
    }
    Ok(expired)
}
