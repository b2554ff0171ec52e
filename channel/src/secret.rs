//! A secret in a file, which is followed: a rotated one is taken up while the process runs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use monstrum_service::Service;
use zeroize::Zeroizing;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Why there is no usable secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file.
    #[error("{path}: can't be read")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is in it.
    #[error("{path}: {problem}")]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// What is wrong and what would be right. Nothing of the secret.
        problem: String,
    },
}

/// How a platform reads the text of the file; what it says of a fault holds nothing of the secret.
pub type Parse<T> = fn(&str) -> Result<T, String>;

/// What a secret's file holds.
pub struct Secret<T> {
    path: PathBuf,
    parse: Parse<T>,
    current: RwLock<Arc<T>>,
}

/// Shows where it is.
impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> Secret<T> {
    /// Reads the file, and from then on takes up what changes. A file that became unreadable or wrong changes nothing.
    pub fn follow(path: PathBuf, parse: Parse<T>, service: &Service) -> Result<Arc<Self>, SecretError> {
        let current = RwLock::new(Arc::new(read(&path, parse)?));
        let secret = Arc::new(Self { path, parse, current });
        let (followed, shutdown) = (Arc::clone(&secret), service.shutdown());
        service.spawn_quiet("channel-secret", async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => followed.reload(),
                    () = shutdown.requested() => return,
                }
            }
        });
        Ok(secret)
    }

    /// What it holds now.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn reload(&self) {
        match read(&self.path, self.parse) {
            Ok(read) => *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read),
            Err(error) => tracing::warn!(error = %error, "the secret can't be read; the old one stays"),
        }
    }
}

fn read<T>(path: &Path, parse: Parse<T>) -> Result<T, SecretError> {
    let failed = |source| SecretError::Read {
        path: path.to_owned(),
        source,
    };
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    parse(&text).map_err(|problem| SecretError::Unusable {
        path: path.to_owned(),
        problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_refused() {
        let outcome = read(Path::new("/nowhere/secret"), |_| Ok(()));
        assert!(matches!(outcome, Err(SecretError::Read { .. })));
    }
}
