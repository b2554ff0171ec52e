//! Settled use, summed per bucket.

use rusqlite::{Connection, params};

use super::super::rules::Change;
use super::row::Columns;
use crate::clock::Moment;
use crate::store::StoreError;

/// A bucket holds no more than this, so that no sum of buckets leaves SQLite's integers.
const FULLEST: i64 = 10_000_000_000_000_000;

/// Adds to the use at an instant, or takes from it.
pub(super) fn change(connection: &Connection, at: Moment, changes: &[Change]) -> Result<(), StoreError> {
    for change in changes {
        add(connection, at, change)?;
    }
    Ok(())
}

fn add(connection: &Connection, at: Moment, change: &Change) -> Result<(), StoreError> {
    let (begin, leaves) = change.key.bucket(at);
    let columns = Columns::of(&change.owner, &change.key)?;
    connection
        .prepare_cached(
            "INSERT INTO quota_use
           (owner, binding, grant_name, quota, window_seconds, bucket_micros, leaves_micros, amount)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, MIN(?9, MAX(0, ?8)))
         ON CONFLICT DO UPDATE SET amount = MIN(?9, MAX(0, amount + ?8))",
        )?
        .execute(params![
            columns.owner,
            columns.binding,
            columns.grant,
            columns.quota,
            columns.window,
            begin.micros(),
            leaves.micros(),
            change.by,
            FULLEST
        ])?;
    Ok(())
}
