//! Taken ids, until they expire.

use rusqlite::{Connection, params};

use super::SqliteStore;
use crate::clock::Moment;
use crate::store::{OnceStore, StoreError, Ticket};
use crate::tenant::Owner;

impl OnceStore for SqliteStore {
    async fn take_once(&self, owner: &Owner, now: Moment, ticket: Ticket) -> Result<bool, StoreError> {
        let owner = owner.clone();
        self.write(move |connection| take(connection, &owner, now, ticket))
            .await
    }
}

/// Writes a row if there is none or the one there has run out.
pub(super) fn take(
    connection: &Connection,
    owner: &Owner,
    now: Moment,
    ticket: Ticket,
) -> Result<bool, StoreError> {
    let written = connection
        .prepare_cached(
            "INSERT INTO taken (owner, scope, id, expires_micros) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (owner, scope, id) DO UPDATE SET expires_micros = excluded.expires_micros
           WHERE taken.expires_micros <= ?5",
        )?
        .execute(params![
            owner.as_str(),
            ticket.scope,
            ticket.id,
            now.after(ticket.keep).micros(),
            now.micros()
        ])?;
    Ok(written == 1)
}
