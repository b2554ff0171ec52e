//! Copying the runner into a volume, from where another image's container starts it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Why the executable was not copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    /// The running executable can't be found.
    #[error("the running executable can't be found")]
    Own(#[source] io::Error),
    /// The copy can't be written.
    #[error("{path}: can't be written")]
    Write {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Copies this executable to `to`, mode 0755. The file appears complete or not at all.
pub(crate) fn install(to: &Path) -> Result<(), InstallError> {
    let own = std::env::current_exe().map_err(InstallError::Own)?;
    copy(&own, to).map_err(|source| InstallError::Write {
        path: to.to_owned(),
        source,
    })
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut name = to.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    name.push(".partial");
    let partial = to.with_file_name(name);
    fs::copy(from, &partial)?;
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o755))?;
    fs::rename(&partial, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_is_whole_executable_and_replaces_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("runner"));
        fs::write(&from, b"new").unwrap();
        fs::write(&to, b"old, and longer").unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"new");
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o7777, 0o755);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_is_no_file_name() {
        assert!(copy(Path::new("/proc/self/exe"), Path::new("/")).is_err());
    }
}
