//! `BotBinding`: what one bot may do with one resource.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grant::Grant;
use super::status::ObjectStatus;
use crate::schema;

/// What one bot may do with one resource. Without a binding, a bot has no tool of that resource.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "monstrum.dev",
    version = "v1alpha1",
    kind = "BotBinding",
    namespaced,
    status = "ObjectStatus",
    shortname = "mbb",
    category = "monstrum",
    derive = "PartialEq",
    doc = "What one bot may do with one resource. Without a binding, a bot has no tool of that resource.",
    printcolumn(name = "Bot", type_ = "string", json_path = ".spec.bot"),
    printcolumn(name = "Resource", type_ = "string", json_path = ".spec.resource"),
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
    selectable = ".spec.bot",
    selectable = ".spec.resource"
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("self.bot == oldSelf.bot")
    .message("bot can't be changed: delete this binding and create another one"))]
#[x_kube(validation = Rule::new("self.resource == oldSelf.resource")
    .message("resource can't be changed: delete this binding and create another one"))]
pub struct BotBindingSpec {
    /// The name of a Bot in the same namespace. It can't be changed.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::LABEL))]
    pub bot: String,
    /// The name of a Resource in the same namespace. It can't be changed.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::LABEL))]
    pub resource: String,
    /// What stands before the tool names, as in `Alias__tool`. Needed only to tell two resources of one type apart in
    /// words of your own; otherwise one is made from the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 24), regex(pattern = schema::ALIAS))]
    pub alias: Option<String>,
    /// A credential for this bot alone, in place of the resource's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialUse>,
    /// One line about the resource for the model, in place of the resource's own description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// What is permitted, beside what the bot's roles permit. The grants are alternatives and are never mixed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub grants: Vec<Grant>,
}

/// Which credential is used, and as which of the resource type's credential methods.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialUse {
    /// The name of a Credential in the same namespace.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN))]
    pub name: String,
    /// One of the resource type's credential methods, for example `token`.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::IDENTIFIER))]
    pub method: String,
}
