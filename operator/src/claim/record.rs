//! The claim as it is written down.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::DynamicObject;
use serde_json::{Value, json};

use crate::child::{Labels, MANAGER, label};

/// The `ConfigMap`'s name.
pub(crate) const CLAIM: &str = "monstrum-installation";
/// The key that names the installation.
const INSTALLATION: &str = "installation";

/// A claim of `installation` to a namespace.
pub(super) fn claim(namespace: &str, installation: &str) -> ConfigMap {
    let mut claim = ConfigMap::default();
    claim.metadata.name = Some(CLAIM.to_owned());
    claim.metadata.namespace = Some(namespace.to_owned());
    claim.metadata.labels = Some(Labels::from([
        (label::NAME.to_owned(), "monstrum".to_owned()),
        (label::MANAGED_BY.to_owned(), MANAGER.to_owned()),
    ]));
    claim.data = Some([(INSTALLATION.to_owned(), installation.to_owned())].into());
    claim
}

/// What hands a claim as it was seen to `installation`.
pub(super) fn handover(seen: &DynamicObject, installation: &str) -> Value {
    let metadata = json!({
        "uid": seen.metadata.uid,
        "resourceVersion": seen.metadata.resource_version,
    });
    json!({ "metadata": metadata, "data": { INSTALLATION: installation } })
}

/// Whom a claim names; somebody who can't be found, where it names nobody.
pub(crate) fn claimant(claim: &DynamicObject) -> &str {
    claim
        .data
        .pointer("/data/installation")
        .and_then(Value::as_str)
        .unwrap_or_default()
}
