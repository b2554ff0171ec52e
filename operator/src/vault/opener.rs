//! Reads the secrets of one credential.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use monstrum_crds::consent::{Consent, Refusal, User};
use secrecy::zeroize::{Zeroize as _, Zeroizing};

use crate::index::secret_version;
use crate::labour::laboriously;
use crate::policy::{FieldSource, Opening};

/// Reads Secrets, one by one, when somebody may have them.
#[derive(Clone)]
pub struct Opener {
    client: Client,
}

/// One opened field; wiped from memory when dropped.
pub struct OpenedField {
    /// The field's name.
    pub name: String,
    /// Its value.
    pub value: Zeroizing<Vec<u8>>,
}

/// Why a credential can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is not there any more.
    #[error("secret {secret} does not exist")]
    Missing {
        /// The Secret's name.
        secret: String,
    },
    /// Its owner does not agree, or not any more.
    #[error("secret {secret} does not agree: {user} {refusal}")]
    Refused {
        /// The Secret's name.
        secret: String,
        /// Who uses it.
        user: User,
        /// Why not.
        refusal: Refusal,
    },
    /// It is another one than the policy was compiled with; the next policy is on its way.
    #[error("secret {secret} has changed since the policy was compiled")]
    Changed {
        /// The Secret's name.
        secret: String,
    },
    /// The Secret lacks the key.
    #[error("secret {secret} has no key {key}")]
    NoKey {
        /// The Secret's name.
        secret: String,
        /// The key.
        key: String,
    },
    /// The API server does not answer.
    #[error("secret {secret} can't be read")]
    Read {
        /// The Secret's name.
        secret: String,
        /// Why.
        source: kube::Error,
    },
}

impl Opener {
    /// An opener that reads with `client`.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Opens every field, or none.
    pub async fn open(&self, namespace: &str, opening: &Opening) -> Result<Vec<OpenedField>, OpenError> {
        let mut secrets = BTreeMap::new();
        for field in &opening.fields {
            if !secrets.contains_key(&field.secret) {
                let opened = self.read(namespace, &field.secret).await?;
                secrets.insert(field.secret.clone(), opened);
            }
        }
        let field = |field| opened(opening, field, &secrets);
        laboriously(|| opening.fields.iter().map(field).collect()).await
    }

    async fn read(&self, namespace: &str, name: &str) -> Result<Opened, OpenError> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let read = |source| OpenError::Read {
            secret: name.to_owned(),
            source,
        };
        let found = secrets.get_opt(name).await.map_err(read)?;
        let mut secret = found.ok_or_else(|| OpenError::Missing {
            secret: name.to_owned(),
        })?;
        let consent = Consent::of(secret.metadata.annotations.as_ref());
        // The last-applied annotation holds the values as well.
        for text in secret
            .metadata
            .annotations
            .iter_mut()
            .flat_map(BTreeMap::values_mut)
        {
            text.zeroize();
        }
        let data = secret.data.take().unwrap_or_default().into_iter();
        Ok(Opened {
            version: secret_version(&secret.metadata),
            consent,
            values: data.map(|(key, value)| (key, Zeroizing::new(value.0))).collect(),
        })
    }
}

/// A Secret as it is now.
struct Opened {
    version: String,
    consent: Consent,
    values: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

/// One field, if the Secret agrees now and is the one that the policy was compiled with.
fn opened(
    opening: &Opening,
    field: &FieldSource,
    secrets: &BTreeMap<String, Opened>,
) -> Result<OpenedField, OpenError> {
    let secret = || field.secret.clone();
    let found = secrets
        .get(&field.secret)
        .ok_or_else(|| OpenError::Missing { secret: secret() })?;
    if let Some(refusal) = found.consent.refusal(&opening.user, &field.key, &opening.hosts) {
        return Err(OpenError::Refused {
            secret: secret(),
            user: opening.user.clone(),
            refusal,
        });
    }
    if found.version != field.secret_version {
        return Err(OpenError::Changed { secret: secret() });
    }
    let value = found.values.get(&field.key).ok_or_else(|| OpenError::NoKey {
        secret: secret(),
        key: field.key.clone(),
    })?;
    Ok(OpenedField {
        name: field.name.clone(),
        value: value.clone(),
    })
}
