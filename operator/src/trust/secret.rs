//! How an installation's authorities are kept in a Secret.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use monstrum_service::authority::Authority;
use secrecy::zeroize::Zeroizing;
use serde_json::{Value, json};

use super::{AUTHORITY_SECRET, Held, TrustError};
use crate::child::{MANAGER, label};

/// Put onto the Secret by whoever wants another authority; taken off when it is prepared.
const ROTATE: &str = "monstrum.dev/rotate";
/// Counts the steps, so that an older copy is known for one.
const REVISION: &str = "monstrum.dev/authority-revision";
/// Ends each certificate of a bundle.
const END: &str = "-----END CERTIFICATE-----";

/// A Secret as it was read.
pub(super) struct Kept {
    pub(super) held: Held,
    /// Somebody asks for another authority.
    pub(super) asked: bool,
}

/// What a Secret holds: who signs (`tls.crt`, `tls.key`), whom everybody trusts (`ca.crt`), who will sign (`next.crt`, `next.key`).
pub(super) fn read(secret: &Secret, trust_domain: &str) -> Result<Kept, TrustError> {
    let annotations = secret.metadata.annotations.as_ref();
    let annotation = |key: &str| annotations.and_then(|annotations| annotations.get(key));
    let authority = |certificate: &'static str, key: &'static str| {
        let (chain, key) = (needed(secret, certificate)?, needed(secret, key)?);
        // Of a chain the first is the signer's; it alone is trusted.
        let first = split(&chain)
            .into_iter()
            .next()
            .ok_or(TrustError::Damaged(certificate))?;
        Ok::<_, TrustError>(Authority::from_pem(&first, &key, trust_domain)?)
    };
    let next = match text(secret, "next.crt")? {
        Some(_) => Some(authority("next.crt", "next.key")?),
        None => None,
    };
    let roots = text(secret, "ca.crt")?
        .map(|bundle| split(&bundle))
        .unwrap_or_default();
    let revision = annotation(REVISION)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    Ok(Kept {
        held: Held::kept(authority("tls.crt", "tls.key")?, next, roots, revision),
        asked: annotation(ROTATE).is_some(),
    })
}

/// The certificates of a bundle, one by one.
pub(super) fn split(bundle: &str) -> Vec<String> {
    let whole = bundle.split_inclusive(END).filter(|part| part.ends_with(END));
    whole.map(|part| format!("{}\n", part.trim_start())).collect()
}

fn text(secret: &Secret, key: &'static str) -> Result<Option<Zeroizing<String>>, TrustError> {
    let Some(bytes) = secret.data.as_ref().and_then(|data| data.get(key)) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes.0).map_err(|_| TrustError::Damaged(key))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

fn needed(secret: &Secret, key: &'static str) -> Result<Zeroizing<String>, TrustError> {
    text(secret, key)?.ok_or(TrustError::Damaged(key))
}

fn data(held: &Held) -> BTreeMap<&'static str, Option<ByteString>> {
    let bytes = |text: &str| Some(ByteString(text.as_bytes().to_vec()));
    let next = held.next();
    BTreeMap::from([
        ("tls.crt", bytes(held.signer().certificate_pem())),
        ("tls.key", bytes(held.signer().key_pem())),
        ("ca.crt", bytes(&held.bundle())),
        ("next.crt", next.and_then(|next| bytes(next.certificate_pem()))),
        ("next.key", next.and_then(|next| bytes(next.key_pem()))),
    ])
}

/// A Secret that holds this.
pub(super) fn write(held: &Held, namespace: &str) -> Secret {
    let mut secret = Secret {
        type_: Some("kubernetes.io/tls".to_owned()),
        ..Secret::default()
    };
    secret.metadata.name = Some(AUTHORITY_SECRET.to_owned());
    secret.metadata.namespace = Some(namespace.to_owned());
    secret.metadata.labels = Some(BTreeMap::from([
        (label::NAME.to_owned(), "monstrum".to_owned()),
        (label::MANAGED_BY.to_owned(), MANAGER.to_owned()),
    ]));
    let revision = held.revision().to_string();
    secret.metadata.annotations = Some(BTreeMap::from([(REVISION.to_owned(), revision)]));
    let kept = data(held)
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    secret.data = Some(kept.collect());
    secret
}

/// What makes the Secret `before` hold this, if it has not changed since.
pub(super) fn change(held: &Held, before: &Secret, answers: bool) -> Value {
    let mut annotations = json!({ REVISION: held.revision().to_string() });
    if let (true, Some(annotations)) = (answers, annotations.as_object_mut()) {
        annotations.insert(ROTATE.to_owned(), Value::Null);
    }
    json!({
        "metadata": { "resourceVersion": before.metadata.resource_version, "annotations": annotations },
        "data": data(held),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: &str = "monstrum.local";

    fn authority() -> Authority {
        monstrum_service::install_crypto();
        Authority::generate(DOMAIN).unwrap()
    }

    #[test]
    fn every_step_is_read_as_it_was_written() {
        let steady = Held::first(authority());
        let prepared = steady.preparing(authority()).unwrap();
        let signing = prepared.following().unwrap();
        for held in [&steady, &prepared, &signing, &signing.following().unwrap()] {
            let kept = read(&write(held, "system"), DOMAIN).unwrap();
            assert!(kept.held.is_same(held), "revision {}", held.revision());
            assert!(!kept.asked);
        }
    }

    #[test]
    fn an_authority_of_ones_own_is_taken_as_it_is() {
        let own = authority();
        let mut secret = write(&Held::first(authority()), "system");
        secret.metadata.annotations = Some([(ROTATE.to_owned(), "now".to_owned())].into());
        let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
        secret.data = Some(
            [
                ("tls.crt".to_owned(), bytes(own.certificate_pem())),
                ("tls.key".to_owned(), bytes(own.key_pem())),
            ]
            .into(),
        );
        let kept = read(&secret, DOMAIN).unwrap();
        assert_eq!(kept.held.bundle(), own.certificate_pem());
        assert_eq!((kept.held.revision(), kept.asked), (0, true));
    }

    #[test]
    fn half_an_authority_is_damaged() {
        let prepared = Held::first(authority()).preparing(authority()).unwrap();
        for key in ["tls.crt", "tls.key", "next.key"] {
            let mut secret = write(&prepared, "system");
            secret.data.as_mut().unwrap().remove(key);
            assert!(matches!(read(&secret, DOMAIN), Err(TrustError::Damaged(missing)) if missing == key));
        }
    }
}
