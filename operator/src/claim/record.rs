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

/// Whom a claim names; empty where it names nobody who could be: anybody who may write there can write it, and the name becomes part
/// of a request's path.
pub(crate) fn claimant(claim: &DynamicObject) -> &str {
    let named = claim.data.pointer("/data/installation").and_then(Value::as_str);
    named.filter(|name| is_namespace(name)).unwrap_or_default()
}

/// A label of RFC 1123, as every namespace's name is.
fn is_namespace(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(inside)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::ApiResource;
    use rstest::rstest;

    #[rstest]
    #[case::an_installation("monstrum-a", "monstrum-a")]
    #[case::nobody("", "")]
    #[case::a_path("a/../../../api/v1", "")]
    #[case::a_query("a?watch=true", "")]
    #[case::not_a_name("-a", "")]
    fn a_claim_names_a_namespace_or_nobody(#[case] written: &str, #[case] expected: &str) {
        let mut claim = DynamicObject::new(CLAIM, &ApiResource::erase::<ConfigMap>(&()));
        claim.data = json!({"data": {"installation": written}});
        assert_eq!(claimant(&claim), expected);
    }
}
