//! A store on one SQLite file: a write-ahead log, one writing connection that commits in groups, a few reading ones.

mod archive;
mod backup;
mod error;
mod readers;
mod writer;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

pub use archive::{Archive, ArchiveError, Chain};
pub use backup::{Backup, BackupError, back_up};
pub use writer::{CommitObserver, Writer};

use crate::store::StoreError;
use readers::Readers;

/// The database's name in the data directory.
pub const FILE: &str = "ledger.db";

const MIGRATIONS: &[M<'_>] = &[M::up(include_str!("../migrations/sqlite/0001_state.sql"))];

const BUSY: Duration = Duration::from_secs(5);

/// Statements that a connection keeps prepared: more than there are.
const STATEMENTS: usize = 64;

/// Kept small: a ledger is to be small when idle, and the operating system caches the file anyway.
const WRITER_CACHE_KIB: i64 = -1024;
const READER_CACHE_KIB: i64 = -512;

/// What the write-ahead log is cut back to.
const LOG_BYTES: i64 = 16 << 20;

/// A handle to an open database. Clones share it.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: writer::Queue,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the database in `directory`, making it if there is none, and brings its tables up to date.
    /// Nothing is written until the [`Writer`] runs; it ends when the last handle is dropped.
    pub async fn open(directory: &Path, observer: CommitObserver) -> Result<(Self, Writer), StoreError> {
        let file = directory.join(FILE);
        let opened = file.clone();
        let opening = tokio::task::spawn_blocking(move || up_to_date(&opened));
        let connection = opening.await.map_err(|_| StoreError::Unconfirmed)??;
        let readers = Readers::of(file.clone());
        let (queue, writer) = writer::pair(file, connection, observer);
        Ok((
            Self {
                writer: queue,
                readers,
            },
            writer,
        ))
    }

    /// Runs `work` in a transaction of its own and answers when it is durable. An error undoes it.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.writer.submit(work).await
    }

    /// Runs `work` on what is committed.
    pub(crate) async fn look<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.readers.read(work).await
    }
}

/// The writing connection to a database with this version's tables.
fn up_to_date(file: &Path) -> Result<Connection, StoreError> {
    make_private(file).map_err(|source| StoreError::File {
        path: file.display().to_string(),
        source,
    })?;
    let mut connection = writing(file)?;
    Migrations::from_slice(MIGRATIONS).to_latest(&mut connection)?;
    Ok(connection)
}

fn writing(file: &Path) -> rusqlite::Result<Connection> {
    let connection = common(file, WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    Ok(connection)
}

fn reading(file: &Path) -> rusqlite::Result<Connection> {
    let connection = common(file, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Each connection is used by one thread at a time, so that SQLite need not lock it.
fn common(file: &Path, cache: i64) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", cache)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Makes the file for our user only; SQLite gives its companions the same mode.
fn make_private(file: &Path) -> std::io::Result<()> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)
        .map(drop)
}

/// SQLite's integers are signed.
pub(crate) fn signed(value: u64, what: &'static str) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::TooLarge(what))
}

pub(crate) fn unsigned(value: i64, what: &'static str) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Corrupt(what))
}

#[cfg(test)]
mod tests;
