//! The folder that a certificate is mounted in.

use std::path::Path;
use std::time::Duration;

use super::{Pem, TlsError};

/// Reads the three files.
pub(super) fn read(folder: &Path) -> Result<Pem, TlsError> {
    let file = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).map_err(|source| TlsError::Read { path, source })
    };
    Ok(Pem {
        certificate: file("tls.crt")?,
        key: file("tls.key")?,
        authority: file("ca.crt")?,
    })
}

/// Calls `changed` whenever the certificate is another one. Polling, because a mounted Secret is swapped by a rename
/// of a link, which file notifications miss on some file systems.
pub(super) async fn follow(folder: &Path, every: Duration, changed: impl Fn(Pem)) {
    let mut known = read(folder).ok().map(|pem| (pem.certificate, pem.authority));
    loop {
        tokio::time::sleep(every).await;
        match read(folder) {
            Ok(pem) => {
                let seen = (pem.certificate.clone(), pem.authority.clone());
                if known.as_ref() != Some(&seen) {
                    known = Some(seen);
                    changed(pem);
                }
            }
            Err(error) => tracing::warn!(error = %error, "the certificate's folder can't be read"),
        }
    }
}
