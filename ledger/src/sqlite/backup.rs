//! A copy of the database as of one instant, also while a ledger serves.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{FILE, READER_CACHE_KIB, common};

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The data directory holds no database.
    #[error("{0} does not exist: --data-dir names the ledger's data directory")]
    Missing(String),
    /// Never overwrites.
    #[error("{0} exists already: name a new file")]
    Exists(String),
    /// The database could not be copied.
    #[error("{0} could not be copied")]
    Copy(String, #[source] rusqlite::Error),
    /// The copy is not sound.
    #[error("the copy is damaged: {0}")]
    Damaged(String),
    /// The copy could not be put in its place.
    #[error("{path} could not be written")]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// Bots with an audit chain.
    pub bots: i64,
    /// Audit records of all bots.
    pub audit_records: i64,
    /// The file's length.
    pub bytes: u64,
}

/// Copies the database in `directory` to `target`, which appears complete and checked or not at all.
pub async fn back_up(directory: &Path, target: &Path) -> Result<Backup, BackupError> {
    let (source, target) = (directory.join(FILE), target.to_owned());
    let shown = target.clone();
    let copying = tokio::task::spawn_blocking(move || copied(&source, &target));
    copying
        .await
        .unwrap_or_else(|stopped| Err(file_error(&shown, stopped.into())))
}

fn copied(source: &Path, target: &Path) -> Result<Backup, BackupError> {
    if !source.is_file() {
        return Err(BackupError::Missing(shown(source)));
    }
    if target.exists() {
        return Err(BackupError::Exists(shown(target)));
    }
    let partial = partial(target);
    let made = copy(source, &partial);
    match made.and_then(|backup| publish(&partial, target).map(|()| backup)) {
        Ok(backup) => Ok(backup),
        Err(error) => {
            // Whatever is left of it is of no use; that it can't be removed is the lesser news.
            let _ = fs::remove_file(&partial);
            Err(error)
        }
    }
}

/// The copy's name until it is whole; new each time, so that what a killed backup left is in nobody's way.
fn partial(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(format!(".{}.partial", Uuid::new_v4().simple()));
    PathBuf::from(name)
}

fn copy(source: &Path, partial: &Path) -> Result<Backup, BackupError> {
    super::make_private(partial).map_err(|source| file_error(partial, source))?;
    let failed = |error| BackupError::Copy(shown(source), error);
    common(source, READER_CACHE_KIB)
        .and_then(|whole| whole.execute("VACUUM INTO ?1", params![shown(partial)]))
        .map_err(failed)?;
    let copied = common(partial, READER_CACHE_KIB).map_err(failed)?;
    let backup = check(&copied)?;
    drop(copied);
    let bytes = fs::metadata(partial)
        .map_err(|source| file_error(partial, source))?
        .len();
    Ok(Backup { bytes, ..backup })
}

fn check(copied: &Connection) -> Result<Backup, BackupError> {
    let failed = |error| BackupError::Copy("the copy".to_owned(), error);
    let verdict: String = copied
        .query_row("PRAGMA quick_check(1)", (), |row| row.get(0))
        .map_err(failed)?;
    if verdict != "ok" {
        return Err(BackupError::Damaged(verdict));
    }
    let heads = "SELECT COUNT(*), COALESCE(SUM(sequence), 0) FROM audit_head";
    let (bots, audit_records): (i64, i64) = copied
        .query_row(heads, (), |row| row.try_into())
        .map_err(failed)?;
    Ok(Backup {
        bots,
        audit_records,
        bytes: 0,
    })
}

/// Makes the copy durable under its name.
fn publish(partial: &Path, target: &Path) -> Result<(), BackupError> {
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
    sync(partial).map_err(|source| file_error(partial, source))?;
    fs::rename(partial, target).map_err(|source| file_error(target, source))?;
    let directory = target
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    sync(directory).map_err(|source| file_error(directory, source))
}

fn file_error(path: &Path, source: std::io::Error) -> BackupError {
    BackupError::File {
        path: shown(path),
        source,
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
