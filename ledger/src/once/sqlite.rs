//! Taken ids, until they expire.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::rules::{held, holding};
use super::{Holding, OnceStore, Ticket};
use crate::clock::Moment;
use crate::sqlite::SqliteStore;
use crate::store::StoreError;
use crate::tenant::Owner;

impl OnceStore for SqliteStore {
    async fn take_once(&self, owner: &Owner, now: Moment, ticket: Ticket) -> Result<bool, StoreError> {
        let owner = owner.clone();
        self.write(move |connection| take(connection, &owner, now, ticket))
            .await
    }

    async fn hold_once(
        &self,
        owner: &Owner,
        now: Moment,
        ticket: Ticket,
        renew: bool,
    ) -> Result<Holding, StoreError> {
        let owner = owner.clone();
        self.write(move |connection| hold(connection, &owner, now, ticket, renew))
            .await
    }

    async fn settle_once(
        &self,
        owner: &Owner,
        now: Moment,
        ticket: Ticket,
        free: bool,
    ) -> Result<(), StoreError> {
        let owner = owner.clone();
        self.write(move |connection| {
            give_back(connection, &owner, &held(&ticket))?;
            if !free {
                take(connection, &owner, now, ticket)?;
            }
            Ok(())
        })
        .await
    }
}

fn hold(
    connection: &Connection,
    owner: &Owner,
    now: Moment,
    ticket: Ticket,
    renew: bool,
) -> Result<Holding, StoreError> {
    let known = connection
        .prepare_cached(
            "SELECT 1 FROM taken WHERE owner = ?1 AND scope = ?2 AND id = ?3 AND expires_micros > ?4",
        )?
        .query_row(
            params![owner.as_str(), ticket.scope, ticket.id, now.micros()],
            |_| Ok(()),
        )
        .optional()?;
    if known.is_some() {
        return Ok(Holding::Taken);
    }
    let hold = held(&ticket);
    if renew {
        give_back(connection, owner, &hold)?;
    }
    let fresh = take(connection, owner, now, hold)?;
    Ok(holding(fresh, renew))
}

fn give_back(connection: &Connection, owner: &Owner, ticket: &Ticket) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM taken WHERE owner = ?1 AND scope = ?2 AND id = ?3")?
        .execute(params![owner.as_str(), ticket.scope, ticket.id])?;
    Ok(())
}

/// Writes a row if there is none or the one there has run out.
pub(crate) fn take(
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
