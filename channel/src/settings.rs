//! A channel's settings, read from the file that the operator mounts.

use std::path::{Path, PathBuf};

use monstrum_wire::identity::Uid;

pub use monstrum_contract::channel::{Platform, Route, Settings, Talkers, webhook};

/// Why settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file.
    #[error("{path}: can't be read")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its form.
    #[error("{path}: not the settings of a channel")]
    Form {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Its content.
    #[error("{field}: {problem}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
}

impl SettingsError {
    /// What is wrong with a field.
    pub fn field(field: &'static str, problem: impl ToString) -> Self {
        Self::Field {
            field,
            problem: problem.to_string(),
        }
    }
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Settings, SettingsError> {
    let file = path.to_owned();
    let text = std::fs::read(path).map_err(|source| SettingsError::Read {
        path: file.clone(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|source| SettingsError::Form { path: file, source })
}

/// Checks what is the same on every platform.
pub(crate) fn check(routes: &[Route]) -> Result<(), SettingsError> {
    for route in routes {
        let uid = route.bot_uid.parse::<Uid>();
        uid.map_err(|error| SettingsError::field("routes", error))?;
    }
    Ok(())
}
