//! `ResourceType`: the declarative contract of an integration.

use kube::{CustomResource, KubeSchema};
use monstrum_contract::tool::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::credential_method::{CredentialMethod, MethodField};
pub use self::dimension::{Dimension, Match, Unit, WhenUnset};
use super::status::ObjectStatus;
use crate::schema;

pub mod credential_method;
pub mod dimension;

/// The declarative contract of an integration: which tools there are, what can be said of their calls, which settings
/// and credentials an instance needs.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "monstrum.dev",
    version = "v1alpha1",
    kind = "ResourceType",
    status = "ObjectStatus",
    shortname = "mrt",
    category = "monstrum",
    derive = "PartialEq",
    doc = "The declarative contract of an integration: which tools there are, what can be said of their calls, which settings and credentials an instance needs.",
    printcolumn(name = "Executor", type_ = "string", json_path = ".spec.executor"),
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
pub struct ResourceTypeSpec {
    /// Who carries the calls out.
    #[schemars(schema_with = "schema::executor")]
    pub executor: String,
    /// What the integration is, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2_048))]
    pub description: Option<String>,
    /// The settings of an instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Config>,
    /// The credentials that an instance can use, as alternatives. Empty where none is needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["method".into()]))]
    pub credentials: Vec<CredentialMethod>,
    /// What a grant can restrict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub dimensions: Vec<Dimension>,
    /// What a bot can call.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub tools: Vec<Tool>,
}

/// The settings of an instance.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// A JSON Schema (2020-12) of type `object` that a Resource's `config` must satisfy.
    #[schemars(schema_with = "schema::open_object")]
    pub schema: Value,
}
