//! Taken ids, until they expire.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::SqliteStore;
use crate::clock::Moment;
use crate::store::{Holding, OnceStore, StoreError, Ticket};
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

/// A hold is a row of a scope that nobody can ask for: no scope has a control character.
fn held(ticket: &Ticket) -> Ticket {
    Ticket {
        scope: format!("\u{1}held/{}", ticket.scope),
        ..ticket.clone()
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
    Ok(if fresh && !renew {
        Holding::Fresh
    } else {
        Holding::Held
    })
}

fn give_back(connection: &Connection, owner: &Owner, ticket: &Ticket) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM taken WHERE owner = ?1 AND scope = ?2 AND id = ?3")?
        .execute(params![owner.as_str(), ticket.scope, ticket.id])?;
    Ok(())
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
