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
    /// Where they may be sent: hosts such as `api.github.com`, `*.example.com`, `http://github.tools.svc:8080` or
    /// `10.0.0.0/8`. Without a scheme it is `https`, without a port the scheme's own; `:*` stands for every port. They are
    /// sent nowhere else, whatever a Resource or ModelProvider says. Each Secret must agree to all of these hosts in its
    /// annotation `monstrum.dev/hosts`. Absent means nowhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 300), regex(pattern = schema::DESTINATION)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub hosts: Vec<String>,
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
    /// Where its value stands. Whoever owns the Secret agrees with its annotation `monstrum.dev/used-by: credential/NAME`.
    pub secret_key_ref: SecretKeyRef,
}
