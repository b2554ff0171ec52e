//! Reading beside the writer: a few connections, opened when they are first needed, each used by one reader at a time.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{BUSY, reading};
use crate::store::StoreError;

/// How many read at a time; others wait, as long as for a lock.
const READERS: usize = 2;

/// The reading connections.
#[derive(Clone)]
pub(super) struct Readers {
    file: Arc<PathBuf>,
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readers")
    }
}

impl Readers {
    pub(super) fn of(file: PathBuf) -> Self {
        Self {
            file: Arc::new(file),
            places: Arc::new(Semaphore::new(READERS)),
            idle: Arc::default(),
        }
    }

    /// Runs `work` on a thread where it may block. A connection on which it panics is not used again.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let place = tokio::time::timeout(BUSY, Arc::clone(&self.places).acquire_owned())
            .await
            .map_err(|_| StoreError::Unread)?;
        let readers = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let _place = place;
            let connection = readers.connection()?;
            let result = work(&connection);
            readers.idle().push(connection);
            result
        });
        reading.await.map_err(|_| StoreError::Unread)?
    }

    fn connection(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle().pop();
        idle.map_or_else(|| reading(&self.file), Ok)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
