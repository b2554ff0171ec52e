//! From configured paths to opened files: symbolic links resolved once, and what is protected cut out.

use std::fs::read_dir;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use landlock::{AccessFs, BitFlags};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};

use super::super::{Fault, Spec};

/// An opened path, whether it is a folder, and what may be done beneath.
pub(super) type Opened = (OwnedFd, bool, BitFlags<AccessFs>);

/// The paths that will be granted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Grants {
    read_only: Vec<PathBuf>,
    read_write: Vec<PathBuf>,
}

impl Grants {
    /// Works out what `spec` grants.
    pub(super) fn new(spec: &Spec) -> Result<Self, Fault> {
        let protected = protected(&spec.protected);
        let mut grants = Self::default();
        for (paths, granted) in [
            (&spec.read_only, &mut grants.read_only),
            (&spec.read_write, &mut grants.read_write),
        ] {
            for path in paths {
                if let Some(resolved) = resolve(path, &spec.read_write)? {
                    cut_out(&resolved, &protected, granted);
                }
            }
        }
        Ok(grants)
    }

    /// Opens what is granted.
    pub(super) fn open(
        &self,
        read_only: BitFlags<AccessFs>,
        read_write: BitFlags<AccessFs>,
        devices: &[(&str, BitFlags<AccessFs>)],
    ) -> Result<Vec<Opened>, Fault> {
        let readable = self.read_only.iter().map(|path| (path.as_path(), read_only));
        let writable = self.read_write.iter().map(|path| (path.as_path(), read_write));
        let devices = devices.iter().map(|&(path, access)| (Path::new(path), access));
        readable
            .chain(writable)
            .chain(devices)
            .filter_map(|(path, access)| open(path, access).transpose())
            .collect()
    }
}

/// The path without symbolic links; nothing if it does not exist.
fn resolve(path: &Path, writable: &[PathBuf]) -> Result<Option<PathBuf>, Fault> {
    let resolved = match path.canonicalize() {
        Ok(resolved) => resolved,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::config(format!("{}: {error}", path.display()))),
    };
    // An earlier command can have put a link there, to be granted what it points to.
    let beneath_writable = writable
        .iter()
        .any(|folder| path != folder && path.starts_with(folder));
    if beneath_writable && resolved != path {
        return Err(Fault::config(format!(
            "{} is granted, but is a symbolic link in a folder that commands can write to",
            path.display()
        )));
    }
    Ok(Some(resolved))
}

/// Protected paths as configured and as they really are.
fn protected(paths: &[PathBuf]) -> Vec<PathBuf> {
    let real = paths.iter().filter_map(|path| path.canonicalize().ok());
    paths.iter().cloned().chain(real).collect()
}

/// Landlock grants a folder with everything beneath. One that holds something protected is therefore granted entry by
/// entry, without the right to list it.
fn cut_out(path: &Path, protected: &[PathBuf], granted: &mut Vec<PathBuf>) {
    if protected.iter().any(|secret| path.starts_with(secret)) {
        return;
    }
    if !protected.iter().any(|secret| secret.starts_with(path)) {
        granted.push(path.to_owned());
        return;
    }
    let entries = read_dir(path).into_iter().flatten().flatten();
    let mut real: Vec<PathBuf> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()))
        .map(|entry| entry.path())
        .collect();
    real.sort_unstable();
    for entry in real {
        cut_out(&entry, protected, granted);
    }
}

/// Opens a path that has no links any more; if it has, somebody is swapping it right now.
fn open(path: &Path, access: BitFlags<AccessFs>) -> Result<Option<Opened>, Fault> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let unable = |error: rustix::io::Errno| Fault::config(format!("{}: {error}", path.display()));
    match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Ok(file) => {
            let data = fstat(&file).map_err(unable)?;
            let is_folder = FileType::from_raw_mode(data.st_mode) == FileType::Directory;
            Ok(Some((file, is_folder, access)))
        }
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(unable(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_protected_is_cut_out_and_links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for folder in ["etc/monstrum/tls", "etc/monstrum/other", "etc/ssl"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("etc/passwd"), "").unwrap();
        symlink(root.join("etc/monstrum/tls"), root.join("etc/alias")).unwrap();
        let mut granted = Vec::new();
        cut_out(&root.join("etc"), &[root.join("etc/monstrum/tls")], &mut granted);
        assert_eq!(
            granted,
            ["etc/monstrum/other", "etc/passwd", "etc/ssl"].map(|path| root.join(path))
        );
        granted.clear();
        cut_out(
            &root.join("etc/monstrum/tls/tls.key"),
            &[root.join("etc/monstrum/tls")],
            &mut granted,
        );
        assert!(granted.is_empty());
    }

    #[test]
    fn a_link_in_a_writable_folder_grants_nothing() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir(root.join("work")).unwrap();
        symlink("/", root.join("work/out")).unwrap();
        let writable = [root.join("work"), root.join("work/out")];
        let fault = resolve(&root.join("work/out"), &writable).unwrap_err();
        assert!(fault.message.contains("symbolic link"), "{}", fault.message);
        assert_eq!(
            resolve(&root.join("work"), &writable).unwrap(),
            Some(root.join("work"))
        );
        assert_eq!(resolve(&root.join("missing"), &writable).unwrap(), None);
    }
}
