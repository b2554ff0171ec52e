//! `Workspace`: a namespace's defaults.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bot::{Limits, Prompts};
use super::budget::Budget;
use super::status::ObjectStatus;
use crate::schema;

/// The only name that a Workspace can have.
pub const NAME: &str = "workspace";

/// Defaults for the bots of a namespace, and which resource types may be used there. At most one, named `workspace`.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "monstrum.dev",
    version = "v1alpha1",
    kind = "Workspace",
    namespaced,
    status = "ObjectStatus",
    shortname = "mws",
    category = "monstrum",
    derive = "PartialEq",
    doc = "Defaults for the bots of a namespace, and which resource types may be used there. At most one, named `workspace`.",
    validation = Rule::new("self.metadata.name == 'workspace'")
        .message("a namespace has one Workspace, and its name is 'workspace'"),
    printcolumn(name = "Provider", type_ = "string", json_path = ".spec.model.provider"),
    printcolumn(name = "Model", type_ = "string", json_path = ".spec.model.name"),
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
pub struct WorkspaceSpec {
    /// What bots are told before every conversation, unless they say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<Prompts>,
    /// The model that bots think with, unless they say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<DefaultModel>,
    /// The bounds of bots' turns, unless they say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// How much all bots of the namespace may use together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub budgets: Vec<Budget>,
    /// The ResourceTypes that may be used in this namespace. Absent means all; an empty list means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128), inner(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub permitted_resource_types: Option<Vec<String>>,
    /// Where Resources, ModelProviders and Channels of this namespace may send anything, and where its Credentials may go:
    /// hosts as in a Credential's `spec.hosts`. An object that goes anywhere else is refused, and is not used if it was there
    /// before. Absent means anywhere; an empty list means nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 300), regex(pattern = schema::DESTINATION)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub permitted_hosts: Option<Vec<String>>,
    /// The address ranges beyond the public internet that Resources, ModelProviders and Channels of this namespace may reach, for
    /// example `10.20.0.0/16`. Absent means all that can be named; an empty list means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(min = 2, max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub permitted_addresses: Option<Vec<String>>,
    /// The most that bindings and roles of this namespace may grant. A binding or role with a grant that is not
    /// provably contained in one entry is refused, and loses its grants if it was there before. Absent means no
    /// ceiling; an empty list means that nothing may be granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub boundary: Option<Vec<Ceiling>>,
}

/// One entry of a boundary. It is read exactly as a grant is: a grant is within it if every call that the grant permits
/// would be permitted by this entry alone. How often, when, and with whose approval is no part of a boundary.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("(has(self.operations) && size(self.operations) > 0) || (has(self.tools) && size(self.tools) > 0)")
    .message("an entry of the boundary names at least one operation or tool, for example operations: [issue.read]"))]
pub struct Ceiling {
    /// The names of the ResourceTypes that it is about.
    #[schemars(length(min = 1, max = 32), inner(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN)))]
    pub resource_types: Vec<String>,
    /// Operations that may be granted: exact such as `issue.read`, by prefix such as `issue.*`, or `*`.
    /// When tools are named as well, both must cover a call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 128), regex(pattern = schema::OPERATION_PATTERN)))]
    pub operations: Vec<String>,
    /// Tools that may be granted, by name; `*` stands for any characters.
    /// When operations are named as well, both must cover a call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 64), regex(pattern = schema::TOOL_PATTERN)))]
    pub tools: Vec<String>,
    /// Patterns by dimension of the resource type, for example `repository: [acme/*]`. Taken together, the patterns of
    /// a dimension must match everything that the patterns of a grant match. A dimension that is not mentioned permits
    /// nothing, unless its resource type says otherwise (`whenUnset: Allow`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::scope")]
    pub scope: BTreeMap<String, Vec<Value>>,
}

/// The model of bots that name none.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DefaultModel {
    /// The name of a ModelProvider in the same namespace.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN))]
    pub provider: String,
    /// One of the provider's models, by name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}
