//! Which keys Secrets have. Names and versions are kept, values never.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Client};
use monstrum_crds::consent::Consent;
use monstrum_crds::kinds::SecretKeyRef;
use secrecy::zeroize::Zeroize as _;

use super::live::Live;
use super::objects::Place;

/// How long the API server may take to answer for one Secret.
const PATIENCE: Duration = Duration::from_secs(2);

/// Changes with every write of a Secret, and between two of the same name.
pub fn secret_version(metadata: &ObjectMeta) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    format!("{}/{}", part(&metadata.uid), part(&metadata.resource_version))
}

/// Which keys Secrets have, each read once for each version.
#[derive(Debug, Default)]
pub struct Secrets {
    keys: Mutex<BTreeMap<Place, (String, BTreeSet<String>)>>,
}

impl Secrets {
    /// Reads the keys of those named Secrets whose version is not known yet. False when the API server did not answer for
    /// one: it then counts as missing, and should be tried again soon.
    pub async fn learn(
        &self,
        client: &Client,
        live: &Live,
        namespace: &str,
        refs: &BTreeSet<SecretKeyRef>,
    ) -> bool {
        let names: BTreeSet<&str> = refs.iter().map(|secret| secret.name.as_str()).collect();
        let mut all_read = true;
        for name in names {
            let place = (namespace.to_owned(), name.to_owned());
            // A Secret whose owner did not agree is not even looked into.
            let Some(version) = live
                .secrets()
                .get(namespace, name)
                .filter(|secret| Consent::of(secret.metadata.annotations.as_ref()).is_given())
                .map(|secret| secret_version(&secret.metadata))
            else {
                self.keys().remove(&place);
                continue;
            };
            if self
                .keys()
                .get(&place)
                .is_some_and(|(known, _)| *known == version)
            {
                continue;
            }
            // The namespace waits, with one of a few places: whoever did not answer for one Secret is not asked for the next.
            let read = tokio::time::timeout(PATIENCE, read_keys(client, namespace, name)).await;
            let Ok(read) = read else {
                tracing::warn!(secret = %name, %namespace, "the API server does not answer for the keys of a secret");
                return false;
            };
            match read {
                Ok(Some(read)) => {
                    self.keys().insert(place, read);
                }
                Ok(None) => {
                    self.keys().remove(&place);
                }
                Err(error) => {
                    tracing::warn!(secret = %name, %namespace, error = %error, "the keys of a secret can't be read");
                    self.keys().remove(&place);
                    all_read = false;
                }
            }
        }
        all_read
    }

    /// The versions of named keys, as a world has them.
    pub fn versions(
        &self,
        live: &Live,
        namespace: &str,
        refs: &BTreeSet<SecretKeyRef>,
    ) -> BTreeMap<(String, String), Option<String>> {
        let keys = self.keys();
        let versions = refs.iter().filter_map(|secret| {
            let metadata = live.secrets().get(namespace, &secret.name)?;
            let (version, names) = keys.get(&(namespace.to_owned(), secret.name.clone()))?;
            // What was read must be what is there now.
            let current = *version == secret_version(&metadata.metadata) && names.contains(&secret.key);
            Some((
                (secret.name.clone(), secret.key.clone()),
                current.then(|| version.clone()),
            ))
        });
        versions.collect()
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, BTreeMap<Place, (String, BTreeSet<String>)>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the owners of named Secrets agreed to, as the watch of their metadata told last.
pub(super) fn consents(
    live: &Live,
    namespace: &str,
    refs: &BTreeSet<SecretKeyRef>,
) -> BTreeMap<String, Consent> {
    let known = refs.iter().filter_map(|secret| {
        let metadata = live.secrets().get(namespace, &secret.name)?;
        Some((
            secret.name.clone(),
            Consent::of(metadata.metadata.annotations.as_ref()),
        ))
    });
    known.collect()
}

async fn read_keys(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<(String, BTreeSet<String>)>, kube::Error> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let Some(mut secret) = secrets.get_opt(name).await? else {
        return Ok(None);
    };
    let version = secret_version(&secret.metadata);
    for text in secret
        .metadata
        .annotations
        .iter_mut()
        .flat_map(BTreeMap::values_mut)
    {
        text.zeroize();
    }
    let data = secret.data.take().unwrap_or_default();
    let names = data.into_iter().map(|(key, mut value)| {
        value.0.zeroize();
        key
    });
    Ok(Some((version, names.collect())))
}
