//! Images from files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What a gateway takes of one image.
const MAX_BYTES: u64 = 360 << 10;

/// Reads them all. Whether they are images, the gateway says: it looks at their first bytes.
pub(super) fn all(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, Failure> {
    paths.iter().map(|path| one(path)).collect()
}

fn one(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = path.display();
    let usage = |why: String, help: &str| Failure::Usage {
        message: format!("{name} {why}"),
        help: help.to_owned(),
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| usage(format!("cannot be read: {error}"), "name an image file"))?;
    if u64::try_from(bytes.len()).is_ok_and(|bytes| bytes > MAX_BYTES) {
        return Err(usage("is larger than 360 KiB".to_owned(), "scale it down"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_what_a_gateway_takes() {
        let folder = tempfile::tempdir().unwrap();
        let most = usize::try_from(MAX_BYTES).unwrap();
        for (bytes, good) in [(0, true), (most, true), (most + 1, false)] {
            let path = folder.path().join("image.png");
            std::fs::write(&path, vec![0; bytes]).unwrap();
            assert_eq!(all(std::slice::from_ref(&path)).is_ok(), good, "{bytes}");
        }
        assert!(all(&[folder.path().join("missing.png")]).is_err());
    }
}
