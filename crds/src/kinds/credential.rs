//! `Credential`: where secrets come from.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::SecretKeyRef;
use super::status::ObjectStatus;
use crate::schema;

/// Secrets for resources and model providers. Bots never see them: they are put into a call when it is carried out.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "monstrum.dev",
    version = "v1alpha1",
    kind = "Credential",
    namespaced,
    status = "ObjectStatus",
    shortname = "mcred",
    category = "monstrum",
    derive = "PartialEq",
    doc = "Secrets for resources and model providers. Bots never see them: they are put into a call when it is carried out.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialSpec {
    /// How the secrets are come by.
    pub method: Method,
}

/// How secrets are come by.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Method {
    /// They stand in a Secret, and change when the Secret does.
    Static(StaticMethod),
}

/// Secrets that stand in a Secret.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StaticMethod {
    /// The fields that the resource type's credential method asks for (`apiKey` for a model provider).
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub fields: Vec<StaticField>,
}

/// One secret.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StaticField {
    /// The field's name, for example `token`.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::IDENTIFIER))]
    pub name: String,
    /// Where its value stands.
    pub secret_key_ref: SecretKeyRef,
}
