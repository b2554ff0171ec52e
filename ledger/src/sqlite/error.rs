//! SQLite's failures in the words that every database shares.

use crate::store::StoreError;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<rusqlite_migration::Error> for StoreError {
    fn from(error: rusqlite_migration::Error) -> Self {
        match error {
            // What is wrong stands in the message; the whole text of the migration does not help.
            rusqlite_migration::Error::RusqliteError {
                err: rusqlite::Error::SqlInputError { error, msg, .. },
                ..
            } => rusqlite::Error::SqliteFailure(error, Some(msg)).into(),
            other => Self::Migration(other.into()),
        }
    }
}
