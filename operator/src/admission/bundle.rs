//! Tells the API server whom to trust when it calls the webhook, and the path at which it is answered.

use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{ValidatingWebhook, ValidatingWebhookConfiguration};
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use super::Pass;
use crate::trust::{Trust, due};

/// Who writes the bundle.
const MANAGER: &str = "monstrum-webhook-bundle";
/// How often it is looked at: somebody may have installed the configuration anew.
const EVERY: Duration = Duration::from_secs(30);

/// Why the bundle is not in place.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The configuration can't be read.
    #[error("validating webhook configuration {name} can't be read")]
    Read {
        /// Its name.
        name: String,
        /// Why.
        source: kube::Error,
    },
    /// The bundle can't be written.
    #[error("validating webhook configuration {name} can't be written")]
    Write {
        /// Its name.
        name: String,
        /// Why.
        source: kube::Error,
    },
}

/// Keeps authority and path in the configuration `name`. Runs until dropped.
pub async fn keep_bundle(client: &Client, name: &str, trust: &Trust) {
    let pass = Pass::new(trust);
    let mut changes = trust.changes();
    loop {
        let bundle = changes.borrow_and_update().bundle();
        match put_bundle(client, name, &bundle, &pass.path()).await {
            Ok(written) => {
                if written {
                    tracing::info!(configuration = %name, "the API server can call the webhook now");
                }
                trust.put_in_webhook(bundle);
            }
            Err(error) => {
                let cause = std::error::Error::source(&error)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tracing::warn!(error = %error, %cause, "the webhook is not trusted yet");
            }
        }
        due(&mut changes, EVERY).await;
    }
}

/// Puts authority and path where they are not yet. True when something was written.
async fn put_bundle(client: &Client, name: &str, certificate: &str, path: &str) -> Result<bool, BundleError> {
    let api: Api<ValidatingWebhookConfiguration> = Api::all(client.clone());
    let read = |source| BundleError::Read {
        name: name.to_owned(),
        source,
    };
    let found = api.get(name).await.map_err(read)?;
    let webhooks = found.webhooks.clone().unwrap_or_default();
    let is_there = |webhook: &ValidatingWebhook| {
        let config = &webhook.client_config;
        let bundle = config.ca_bundle.as_ref().map(|bundle| bundle.0.as_slice());
        let known = config
            .service
            .as_ref()
            .and_then(|service| service.path.as_deref());
        bundle == Some(certificate.as_bytes()) && known == Some(path)
    };
    if webhooks.iter().all(is_there) {
        return Ok(false);
    }
    let names: Vec<&str> = webhooks.iter().map(|webhook| webhook.name.as_str()).collect();
    let wanted = bundle(&found.name_any(), &names, certificate, path);
    api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(wanted))
        .await
        .map_err(|source| BundleError::Write {
            name: name.to_owned(),
            source,
        })?;
    Ok(true)
}

/// Only the bundle and the path of each webhook, and what identifies it.
fn bundle(name: &str, webhooks: &[&str], certificate: &str, path: &str) -> Value {
    let bundle = ByteString(certificate.as_bytes().to_vec());
    let webhooks: Vec<_> = webhooks
        .iter()
        .map(|webhook| {
            json!({ "name": webhook, "clientConfig": { "caBundle": bundle, "service": { "path": path } } })
        })
        .collect();
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": name },
        "webhooks": webhooks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::FakeApi;

    const PATH: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/monstrum";

    fn configuration() -> Value {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "monstrum"},
            "webhooks": [{
                "name": "validate.monstrum.dev", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "clientConfig": {"service": {"name": "monstrum-operator", "namespace": "system"}},
            }],
        })
    }

    #[tokio::test]
    async fn the_bundle_is_written_where_it_is_not_and_only_there() {
        let api = FakeApi::default();
        api.put(PATH, configuration());
        assert!(
            put_bundle(&api.client(), "monstrum", "certificate", "/validate/x")
                .await
                .unwrap()
        );
        assert_eq!(api.take_writes().len(), 1);
        assert!(
            !put_bundle(&api.client(), "monstrum", "certificate", "/validate/x")
                .await
                .unwrap()
        );
        assert_eq!(api.take_writes(), []);
        for (certificate, path) in [("another", "/validate/x"), ("another", "/validate/y")] {
            assert!(
                put_bundle(&api.client(), "monstrum", certificate, path)
                    .await
                    .unwrap()
            );
        }
    }

    #[test]
    fn nothing_but_bundle_and_path_is_written() {
        let patch = bundle(
            "monstrum",
            &["validate.monstrum.dev"],
            "certificate",
            "/validate/x",
        );
        let webhook = patch["webhooks"][0].as_object().unwrap();
        assert_eq!(webhook.keys().collect::<Vec<_>>(), ["clientConfig", "name"]);
        assert_eq!(
            webhook["clientConfig"],
            json!({"caBundle": "Y2VydGlmaWNhdGU=", "service": {"path": "/validate/x"}})
        );
    }

    #[tokio::test]
    async fn a_configuration_that_is_not_there_is_an_error() {
        assert!(matches!(
            put_bundle(&FakeApi::default().client(), "monstrum", "c", "/").await,
            Err(BundleError::Read { .. })
        ));
    }
}
