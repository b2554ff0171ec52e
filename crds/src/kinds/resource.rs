//! `Resource`: one instance of an integration.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bot_binding::CredentialUse;
use super::pod::PodSettings;
use super::status::ObjectStatus;
use crate::schema;

/// One instance of an integration: a GitHub organisation, a workshop to run commands in. Bots reach it by BotBindings.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "monstrum.dev",
    version = "v1alpha1",
    kind = "Resource",
    namespaced,
    status = "ObjectStatus",
    shortname = "mres",
    category = "monstrum",
    derive = "PartialEq",
    doc = "One instance of an integration: a GitHub organisation, a workshop to run commands in. Bots reach it by BotBindings.",
    validation = Rule::new("self.metadata.name.size() <= 27 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message("a Resource's name has at most 27 characters: lower-case letters, digits and '-', starting with a letter"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Credential", type_ = "string", json_path = ".spec.credential.name"),
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
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    selectable = ".spec.type"
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("self.type == oldSelf.type")
    .message("type can't be changed: delete this resource and create another one"))]
pub struct ResourceSpec {
    /// The name of the ResourceType that says what can be done here. It can't be changed.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN))]
    pub type_: String,
    /// One line about it for the model and for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Its settings, as the resource type's `config.schema` asks for them. Never secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::open_object")]
    pub config: Option<Value>,
    /// The credential that its calls are made with, unless a binding names another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialUse>,
    /// The sandbox that its calls run in. Needed where the resource type runs foreign code, as `shell` does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<Sandbox>,
}

/// The pod that a resource's foreign code runs in, one for each bot that is bound to it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sandbox {
    /// The container image that has the programs to run. The runner itself is put in by the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[^\s]+$"))]
    pub image: Option<String>,
    /// How much the working folder may hold, for example `1Gi`. Default: `256Mi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_size: Option<Quantity>,
    /// How it is labelled, sized, placed and run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<PodSettings>,
}
