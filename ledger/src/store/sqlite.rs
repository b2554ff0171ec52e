//! The store on one SQLite file: a write-ahead log, one writing connection that commits in groups, a few reading ones.

mod audit;
mod backup;
mod call;
mod inbox;
mod once;
mod quota;
mod session;
mod upkeep;
mod usage;
mod writer;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqliteConnection, SqlitePool};

pub use backup::{Backup, BackupError, back_up};
pub use writer::{CommitObserver, Writer};

use super::StoreError;

/// The database's name in the data directory.
pub const FILE: &str = "ledger.db";

const READERS: u32 = 2;
const BUSY: Duration = Duration::from_secs(5);

/// Kept small: a ledger is to be small when idle, and the operating system caches the file anyway.
const WRITER_CACHE_KIB: &str = "-1024";
const READER_CACHE_KIB: &str = "-512";

/// A handle to an open database. Clones share it.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: writer::Queue,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the database in `directory`, making it if there is none, and brings its tables up to date.
    /// Nothing is written until the [`Writer`] runs; it ends when the last handle is dropped.
    pub async fn open(directory: &Path, observer: CommitObserver) -> Result<(Self, Writer), StoreError> {
        let file = directory.join(FILE);
        make_private(&file).map_err(|source| StoreError::File {
            path: file.display().to_string(),
            source,
        })?;
        let options = writing(&file);
        let mut connection = options.connect().await?;
        sqlx::migrate!("migrations/sqlite").run(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .acquire_timeout(BUSY)
            .test_before_acquire(false)
            .connect_lazy_with(reading(&file));
        let (queue, writer) = writer::pair(options, connection, observer);
        Ok((
            Self {
                writer: queue,
                readers,
            },
            writer,
        ))
    }

    /// Runs `work` in a transaction of its own and answers when it is durable. An error undoes it.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.writer.submit(work).await
    }
}

fn writing(file: &Path) -> SqliteConnectOptions {
    common(file, WRITER_CACHE_KIB)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", "16777216")
}

fn reading(file: &Path) -> SqliteConnectOptions {
    common(file, READER_CACHE_KIB).pragma("query_only", "ON")
}

fn common(file: &Path, cache: &'static str) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(BUSY)
        .pragma("cache_size", cache)
        .pragma("trusted_schema", "OFF")
        .thread_name(|id| format!("sqlite-{id}"))
        .disable_statement_logging()
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
fn signed(value: u64, what: &'static str) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::TooLarge(what))
}

fn unsigned(value: i64, what: &'static str) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Corrupt(what))
}

#[cfg(test)]
mod tests;
