//! Versions of secrets: something that changes whenever a secret does, and tells nothing about it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::kinds::credential::Method;
use crate::kinds::{Credential, SecretKeyRef};
use crate::world::World;

/// How many bytes of the hash are kept.
const BYTES: usize = 16;

/// The version of a credential; nothing if one of its Secrets is not there.
pub fn of_credential(credential: &Credential, world: &World) -> Option<String> {
    let Method::Static(method) = &credential.spec.method;
    let mut fields: Vec<_> = method.fields.iter().collect();
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    let mut parts = vec![credential.metadata.uid.clone().unwrap_or_default()];
    // Where they may go is leased with them, so that another list is another lease.
    let mut hosts = credential.spec.hosts.clone();
    hosts.sort();
    parts.push(hosts.len().to_string());
    parts.extend(hosts);
    for field in fields {
        let secret = &field.secret_key_ref;
        let version = world.secret_version(secret)?;
        parts.extend([
            field.name.clone(),
            secret.name.clone(),
            secret.key.clone(),
            version.to_owned(),
        ]);
    }
    Some(hashed(&parts))
}

/// The version of one key of a Secret; nothing if it is not there.
pub fn of_secret(secret: &SecretKeyRef, world: &World) -> Option<String> {
    let version = world.secret_version(secret)?;
    Some(hashed(&[
        secret.name.clone(),
        secret.key.clone(),
        version.to_owned(),
    ]))
}

/// Each part with its length before it, so that no two lists run together.
fn hashed(parts: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .take(BYTES)
        .fold(String::new(), |mut text, byte| {
            // Writing to a String can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
