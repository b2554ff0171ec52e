//! Whether the installed custom resource definitions know every field that this operator reads.
//!
//! An API server drops what a definition does not know. A field that narrows something, in an object that was applied under an older
//! definition, would then be missing without anybody being told. So an operator does not lead, and is not ready, before the definitions
//! are at least as new as it is: an upgrade in the wrong order stops with the old operators still at work.

mod lacking;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client};
use monstrum_service::{Readiness, Token};
use serde_json::Value;

use self::lacking::lacking;

/// How often they are looked at.
const EVERY: Duration = Duration::from_secs(300);
/// As long as something is wrong with them.
const SOON: Duration = Duration::from_secs(3);
/// The answer of the API server.
const PATIENCE: Duration = Duration::from_secs(10);
/// Fields that are told.
const MAX_TOLD: usize = 8;

/// Whether the definitions are known to be new enough; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definitions {
    fine: Arc<AtomicBool>,
}

impl Definitions {
    /// Whether they are.
    pub(crate) fn are_fine(&self) -> bool {
        self.fine.load(Ordering::Relaxed)
    }

    /// Keeps looking. Runs until dropped.
    pub(crate) async fn watch(self, client: Client, readiness: Readiness) {
        let mut told = String::new();
        let mut unready: Option<Token> =
            Some(readiness.block("the custom resource definitions are not read yet"));
        loop {
            let fault = match tokio::time::timeout(PATIENCE, faults(&client)).await {
                Ok(Ok(faults)) => (!faults.is_empty()).then(|| faults.join("; ")),
                // What was seen last holds: definitions hardly ever change.
                Ok(Err(_)) | Err(_) if self.are_fine() => None,
                Ok(Err(error)) => Some(format!("the custom resource definitions can't be read: {error}")),
                Err(_) => {
                    Some("the API server does not answer for the custom resource definitions".to_owned())
                }
            };
            self.fine.store(fault.is_none(), Ordering::Relaxed);
            let fault = fault.unwrap_or_default();
            if fault != told {
                unready = None;
                if !fault.is_empty() {
                    tracing::error!(%fault, "the installed custom resource definitions don't do: install the chart monstrum-crds of this version");
                    unready = Some(readiness.block(fault.clone()));
                }
                told.clone_from(&fault);
            } else if fault.is_empty() {
                unready = None;
            }
            tokio::time::sleep(if unready.is_some() { SOON } else { EVERY }).await;
        }
    }
}

/// What the installed definitions lack.
async fn faults(client: &Client) -> Result<Vec<String>, kube::Error> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut faults = Vec::new();
    for needed in monstrum_crds::definition::all() {
        let text = |pointer: &str| {
            needed
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (name, version) = (text("/metadata/name"), text("/spec/versions/0/name"));
        let Some(installed) = definitions.get_opt(name).await? else {
            faults.push(format!("{name} is not installed"));
            continue;
        };
        let installed = serde_json::to_value(installed.spec.versions).unwrap_or_default();
        let served = installed.as_array().into_iter().flatten();
        let served = served
            .into_iter()
            .find(|served| served.get("name").and_then(Value::as_str) == Some(version));
        let Some(schema) = served.and_then(|served| served.pointer("/schema/openAPIV3Schema")) else {
            faults.push(format!("{name} does not serve {version}"));
            continue;
        };
        let missing = needed
            .pointer("/spec/versions/0/schema/openAPIV3Schema")
            .map_or_else(Vec::new, |needed| lacking(needed, schema));
        if !missing.is_empty() {
            faults.push(format!(
                "{name} is older than this operator and does not know {}",
                some(&missing)
            ));
        }
    }
    Ok(faults)
}

fn some(missing: &[String]) -> String {
    let told: Vec<_> = missing.iter().take(MAX_TOLD).map(String::as_str).collect();
    let more = missing.len().saturating_sub(MAX_TOLD);
    if more == 0 {
        told.join(", ")
    } else {
        format!("{} and {more} more", told.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::FakeApi;
    use serde_json::json;

    fn installed(api: &FakeApi) {
        for definition in monstrum_crds::definition::all() {
            let name = definition["metadata"]["name"].as_str().unwrap().to_owned();
            api.put(&path(&name), definition);
        }
    }

    fn path(name: &str) -> String {
        format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
    }

    #[tokio::test]
    async fn definitions_of_this_version_do() {
        let api = FakeApi::default();
        installed(&api);
        assert_eq!(faults(&api.client()).await.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn an_older_definition_is_named_with_the_fields_that_it_drops() {
        let api = FakeApi::default();
        installed(&api);
        let name = path("workspaces.monstrum.dev");
        let mut older = api.get(&name).unwrap();
        let spec = older.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties");
        spec.unwrap().as_object_mut().unwrap().remove("boundary");
        api.put(&name, older);
        let faults = faults(&api.client()).await.unwrap().join("; ");
        assert_eq!(
            faults,
            "workspaces.monstrum.dev is older than this operator and does not know spec.boundary"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_leads_or_is_ready_before_the_definitions_do() {
        let (api, readiness, definitions) =
            (FakeApi::default(), Readiness::default(), Definitions::default());
        installed(&api);
        let bots = api.get(&path("bots.monstrum.dev")).unwrap();
        api.remove(&path("bots.monstrum.dev"));
        let task = tokio::spawn(definitions.clone().watch(api.client(), readiness.clone()));
        tokio::time::sleep(SOON).await;
        assert!(!definitions.are_fine());
        assert_eq!(readiness.reasons(), ["bots.monstrum.dev is not installed"]);
        api.put(&path("bots.monstrum.dev"), bots);
        tokio::time::sleep(SOON * 2).await;
        assert!(definitions.are_fine() && readiness.reasons().is_empty());
        api.fail_with(Some(http::StatusCode::INTERNAL_SERVER_ERROR));
        tokio::time::sleep(EVERY * 3).await;
        assert!(
            definitions.are_fine(),
            "an API server that fails changes no definition"
        );
        api.fail_with(None);
        api.put(&path("bots.monstrum.dev"), json!({"metadata": {"name": "bots.monstrum.dev"}, "spec": {
            "group": "monstrum.dev", "names": {"plural": "bots", "kind": "Bot"}, "scope": "Namespaced", "versions": []}}));
        tokio::time::sleep(EVERY * 2).await;
        assert!(!definitions.are_fine());
        task.abort();
    }
}
