//! Reservations: opened, and ended by a settlement or by expiry.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::{signed, unsigned};
use super::{bucket, in_use, row};
use crate::clock::Moment;
use crate::store::{Charge, CounterKey, StoreError, Use};
use crate::tenant::{BotKey, Spender};

/// A reservation's row.
struct Reservation {
    reserved_micros: i64,
    ended_micros: Option<i64>,
    settled: bool,
}

fn find(connection: &Connection, bot: &BotKey, reservation: &str) -> Result<Option<Reservation>, StoreError> {
    let found = |row: &Row<'_>| {
        Ok(Reservation {
            reserved_micros: row.get(0)?,
            ended_micros: row.get(1)?,
            settled: row.get(2)?,
        })
    };
    Ok(connection
        .prepare_cached(
            "SELECT reserved_micros, ended_micros, settled FROM reservation
             WHERE bot = ?1 AND reservation = ?2",
        )?
        .query_row(params![bot.as_str(), reservation], found)
        .optional()?)
}

/// A counter of a reservation: whose it is, and what it stands at.
#[derive(Clone, PartialEq, Eq)]
struct Reserved {
    owner: String,
    amount: i64,
}

fn counters(
    connection: &Connection,
    bot: &str,
    reservation: &str,
) -> Result<BTreeMap<CounterKey, Reserved>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT owner, binding, grant_name, quota, window_seconds, amount FROM reserved
         WHERE bot = ?1 AND reservation = ?2",
    )?;
    let mut rows = statement.query(params![bot, reservation])?;
    let mut counters = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let owner: String = row.get(0)?;
        let key = CounterKey {
            of: row::of(&owner, row.get(1)?, row.get(2)?),
            quota: row.get(3)?,
            window_seconds: unsigned(row.get(4)?, "a quota's window")?,
        };
        let amount = row.get(5)?;
        counters.insert(key, Reserved { owner, amount });
    }
    Ok(counters)
}

pub(super) fn open(
    connection: &Connection,
    spender: &Spender,
    now: Moment,
    reservation: &str,
    charges: &[Charge],
    keep: Duration,
) -> Result<(), StoreError> {
    let bot = &spender.bot;
    if let Some(existing) = find(connection, bot, reservation)? {
        return repeated(connection, spender, reservation, charges, &existing);
    }
    for charge in charges {
        let owner = row::owner(spender, &charge.key)?;
        let used = in_use(connection, &row::Columns::of(owner.as_str(), &charge.key)?, now)?;
        if used
            .checked_add(charge.amount)
            .is_none_or(|sum| sum > charge.limit)
        {
            return Err(exhausted(charge, used));
        }
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

/// The same id again: no error only if it asks for the same and is open.
fn repeated(
    connection: &Connection,
    spender: &Spender,
    reservation: &str,
    charges: &[Charge],
    existing: &Reservation,
) -> Result<(), StoreError> {
    if existing.ended_micros.is_some() {
        return Err(StoreError::ReservationEnded(reservation.to_owned()));
    }
    let mut asked = BTreeMap::new();
    for charge in charges {
        let reserved = Reserved {
            owner: row::owner(spender, &charge.key)?.as_str().to_owned(),
            amount: signed(charge.amount, "amount")?,
        };
        asked.insert(charge.key.clone(), reserved);
    }
    if counters(connection, spender.bot.as_str(), reservation)? == asked {
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

fn insert(
    connection: &Connection,
    spender: &Spender,
    now: Moment,
    reservation: &str,
    charge: &Charge,
    expires: Moment,
) -> Result<(), StoreError> {
    let (_, leaves) = charge.key.bucket(now);
    let owner = row::owner(spender, &charge.key)?;
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
    let mut settled = counters(connection, bot.as_str(), reservation)?;
    let before = settled.clone();
    for actual in uses {
        let counter = settled
            .get_mut(&actual.key)
            .ok_or_else(|| unknown_counter(reservation, &actual.key))?;
        counter.amount = signed(actual.amount, "amount")?;
    }
    if row.settled {
        return Ok(());
    }
    let at = Moment::from_micros(row.reserved_micros);
    for (key, Reserved { owner, amount }) in &settled {
        // What expired is in the bucket already: only the difference is missing.
        let counted = if row.ended_micros.is_some() {
            before.get(key).map_or(0, |reserved| reserved.amount)
        } else {
            0
        };
        bucket::add(connection, owner, key, at, amount.saturating_sub(counted))?;
    }
    end(connection, bot.as_str(), reservation, now, true)
}

fn unknown_counter(reservation: &str, key: &CounterKey) -> StoreError {
    StoreError::UnknownCounter {
        reservation: reservation.to_owned(),
        counter: key.clone(),
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
pub(in super::super) fn expire(connection: &Connection, now: Moment, limit: u32) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT bot, reservation, reserved_micros FROM reservation
         WHERE ended_micros IS NULL AND expires_micros <= ?1 ORDER BY expires_micros LIMIT ?2",
    )?;
    let rows = statement.query_map(params![now.micros(), limit], |row| row.try_into())?;
    let rows: Vec<(String, String, i64)> = rows.collect::<Result<_, _>>()?;
    let mut expired = 0_u64;
    for (bot, reservation, reserved) in rows {
        for (counter, Reserved { owner, amount }) in counters(connection, &bot, &reservation)? {
            bucket::add(
                connection,
                &owner,
                &counter,
                Moment::from_micros(reserved),
                amount,
            )?;
        }
        end(connection, &bot, &reservation, now, false)?;
        expired = expired.saturating_add(1);
    }
    Ok(expired)
}
