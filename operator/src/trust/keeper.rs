//! Keeps the authority in a Secret.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac as _};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client};
use monstrum_service::Pem;
use monstrum_service::authority::{Authority, AuthorityError};
use monstrum_wire::identity::Identity;
use secrecy::zeroize::Zeroizing;
use sha2::{Digest as _, Sha256};

use crate::child::{MANAGER, label};

/// The Secret with the authority's certificate and key.
pub const AUTHORITY_SECRET: &str = "monstrum-ca";

/// Signs identities.
#[derive(Clone)]
pub struct Trust {
    authority: Arc<Authority>,
    fingerprint: String,
}

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The Secret can't be read.
    #[error("secret {AUTHORITY_SECRET} can't be read")]
    Read(#[source] kube::Error),
    /// The Secret can't be created.
    #[error("secret {AUTHORITY_SECRET} can't be created")]
    Create(#[source] kube::Error),
    /// The Secret is not what was written into it.
    #[error(
        "secret {AUTHORITY_SECRET} has no text under {0}; restore it from a backup, or delete it to have every identity issued anew"
    )]
    Damaged(&'static str),
    /// The authority can't be used.
    #[error("the authority can't be used")]
    Authority(#[from] AuthorityError),
}

/// The authority, made if there is none. Of two that make one at the same time, one is taken by both.
pub async fn load_or_create(
    client: &Client,
    namespace: &str,
    trust_domain: &str,
) -> Result<Trust, TrustError> {
    if let Some(trust) = load(client, namespace, trust_domain).await? {
        return Ok(trust);
    }
    let authority = Authority::generate(trust_domain)?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    match secrets
        .create(&PostParams::default(), &secret(&authority, namespace))
        .await
    {
        Ok(_) => {
            tracing::info!(secret = AUTHORITY_SECRET, "made the installation's authority");
            Ok(Trust::new(authority))
        }
        Err(kube::Error::Api(status)) if status.code == 409 => load(client, namespace, trust_domain)
            .await?
            .ok_or_else(|| TrustError::Create(kube::Error::Api(status))),
        Err(error) => Err(TrustError::Create(error)),
    }
}

/// The authority, if there is one.
pub async fn load(client: &Client, namespace: &str, trust_domain: &str) -> Result<Option<Trust>, TrustError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let Some(secret) = secrets
        .get_opt(AUTHORITY_SECRET)
        .await
        .map_err(TrustError::Read)?
    else {
        return Ok(None);
    };
    let data: BTreeMap<String, Zeroizing<Vec<u8>>> = secret
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| (key, Zeroizing::new(value.0)))
        .collect();
    let text = |key: &'static str| {
        let bytes = data.get(key).ok_or(TrustError::Damaged(key))?;
        std::str::from_utf8(bytes).map_err(|_| TrustError::Damaged(key))
    };
    Ok(Some(Trust::new(Authority::from_pem(
        text("tls.crt")?,
        text("tls.key")?,
        trust_domain,
    )?)))
}

fn secret(authority: &Authority, namespace: &str) -> Secret {
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
    secret.data = Some(BTreeMap::from([
        (
            "tls.crt".to_owned(),
            ByteString(authority.certificate_pem().as_bytes().to_vec()),
        ),
        (
            "tls.key".to_owned(),
            ByteString(authority.key_pem().as_bytes().to_vec()),
        ),
    ]));
    secret
}

impl Trust {
    /// Signs with `authority`.
    pub fn new(authority: Authority) -> Self {
        let fingerprint = hex::encode(Sha256::digest(authority.certificate_pem()));
        Self {
            authority: Arc::new(authority),
            fingerprint,
        }
    }

    /// A new certificate.
    pub fn issue(
        &self,
        identity: &Identity,
        names: &[String],
        lifetime: Duration,
    ) -> Result<Pem, AuthorityError> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.authority.issue(identity, &names, lifetime)
    }

    /// What those who trust it need.
    pub fn certificate_pem(&self) -> &str {
        self.authority.certificate_pem()
    }

    /// A secret of this installation for one purpose: whoever has the authority's key has it, and it tells nothing about the key.
    pub fn derived(&self, purpose: &str) -> String {
        let mut key = Zeroizing::new([0; 64]);
        let digest = Sha256::digest(self.authority.key_pem());
        key.iter_mut().zip(digest).for_each(|(slot, byte)| *slot = byte);
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*key).into());
        mac.update(purpose.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// Tells this authority from another.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Of its identities.
    pub fn trust_domain(&self) -> &str {
        self.authority.trust_domain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::FakeApi;
    use serde_json::json;

    const PATH: &str = "/api/v1/namespaces/system/secrets/monstrum-ca";

    async fn trust(api: &FakeApi) -> Result<Trust, TrustError> {
        monstrum_service::install_crypto();
        load_or_create(&api.client(), "system", "monstrum.local").await
    }

    #[tokio::test]
    async fn the_authority_is_made_once_and_kept() {
        let api = FakeApi::default();
        let first = trust(&api).await.unwrap();
        let second = trust(&api).await.unwrap();
        assert_eq!(first.fingerprint(), second.fingerprint());
        assert_eq!(api.take_writes().len(), 1);
    }

    #[tokio::test]
    async fn of_two_that_make_one_at_once_both_take_the_same() {
        let api = FakeApi::default();
        let (first, second) = tokio::join!(trust(&api), trust(&api));
        assert_eq!(first.unwrap().fingerprint(), second.unwrap().fingerprint());
        assert_eq!(api.take_writes().len(), 2, "both tried, one succeeded");
    }

    #[tokio::test]
    async fn a_damaged_authority_is_never_replaced_silently() {
        let api = FakeApi::default();
        api.put(
            PATH,
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "monstrum-ca"}, "data": {}}),
        );
        let error = trust(&api).await.err().unwrap();
        assert!(error.to_string().contains("tls.crt"), "{error}");
        assert_eq!(api.take_writes(), []);
    }

    #[tokio::test]
    async fn without_the_api_server_there_is_no_authority() {
        let api = FakeApi::default();
        api.fail_with(Some(http::StatusCode::FORBIDDEN));
        assert!(matches!(trust(&api).await, Err(TrustError::Read(_))));
    }
}
