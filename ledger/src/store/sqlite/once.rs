//! Taken ids, until they expire.

use sqlx::SqliteConnection;

use super::SqliteStore;
use crate::clock::Moment;
use crate::store::{OnceStore, StoreError, Ticket};
use crate::tenant::Owner;

impl OnceStore for SqliteStore {
    async fn take_once(&self, owner: &Owner, now: Moment, ticket: Ticket) -> Result<bool, StoreError> {
        let owner = owner.clone();
        self.write(move |connection| Box::pin(async move { take(connection, &owner, now, ticket).await }))
            .await
    }
}

/// Writes a row if there is none or the one there has run out.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    owner: &Owner,
    now: Moment,
    ticket: Ticket,
) -> Result<bool, StoreError> {
    let written = sqlx::query(
        "INSERT INTO taken (owner, scope, id, expires_micros) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (owner, scope, id) DO UPDATE SET expires_micros = excluded.expires_micros
           WHERE taken.expires_micros <= ?5",
    )
    .bind(owner.as_str())
    .bind(ticket.scope)
    .bind(ticket.id)
    .bind(now.after(ticket.keep).micros())
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}
