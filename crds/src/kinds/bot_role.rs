//! `BotRole`: grants that several bots share.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::grant::{ApprovalRule, Grant, Quota, Validity};
use super::status::ObjectStatus;
use crate::schema;

/// Grants that several bots share. A role permits nothing by itself: a bot must name it, and be bound to a resource of
/// the type that a grant is for.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "monstrum.dev",
    version = "v1alpha1",
    kind = "BotRole",
    namespaced,
    status = "ObjectStatus",
    shortname = "mbr",
    category = "monstrum",
    derive = "PartialEq",
    doc = "Grants that several bots share. A role permits nothing by itself: a bot must name it, and be bound to a resource of the type that a grant is for.",
    validation = Rule::new("!has(self.spec.parent) || self.spec.parent != self.metadata.name")
        .message("a role can't be its own parent: remove spec.parent or name another role"),
    printcolumn(name = "Parent", type_ = "string", json_path = ".spec.parent"),
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
pub struct BotRoleSpec {
    /// The name of a BotRole in the same namespace whose grants this role has as well. At most eight roles deep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN))]
    pub parent: Option<String>,
    /// What is permitted. The grants are alternatives and are never mixed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub grants: Vec<RoleGrant>,
}

/// What is permitted on resources of one type.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("(has(self.operations) && size(self.operations) > 0) || (has(self.tools) && size(self.tools) > 0)")
    .message("a grant names at least one operation or tool, for example operations: [issue.read]"))]
pub struct RoleGrant {
    /// The name of the ResourceType that the grant is for.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN))]
    pub resource_type: String,
    /// The Resources that the grant is for; empty means every resource of the type that the bot is bound to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63), regex(pattern = schema::LABEL)))]
    pub resources: Vec<String>,
    /// Operations that are permitted: exact such as `issue.read`, by prefix such as `issue.*`, or `*`.
    /// When tools are named as well, both must cover a call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 128), regex(pattern = schema::OPERATION_PATTERN)))]
    pub operations: Vec<String>,
    /// Tools that are permitted, by name; `*` stands for any characters.
    /// When operations are named as well, both must cover a call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 64), regex(pattern = schema::TOOL_PATTERN)))]
    pub tools: Vec<String>,
    /// Patterns by dimension of the resource type, for example `repository: [acme/web, acme/docs-*]`.
    /// The patterns of one dimension are alternatives; every dimension must match. A dimension that is not
    /// mentioned permits nothing, unless its resource type says otherwise (`whenUnset: Allow`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::scope")]
    pub scope: BTreeMap<String, Vec<Value>>,
    /// How much may be used within a window of time, by each bot for itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub quotas: Vec<Quota>,
    /// When a person must agree before a call is carried out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub approval: Vec<ApprovalRule>,
    /// When the grant holds; absent means always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
}

impl RoleGrant {
    /// The grant without what it is for.
    pub fn grant(&self) -> Grant {
        Grant {
            operations: self.operations.clone(),
            tools: self.tools.clone(),
            scope: self.scope.clone(),
            quotas: self.quotas.clone(),
            approval: self.approval.clone(),
            validity: self.validity.clone(),
        }
    }

    /// Whether it is for a resource of this name and type.
    pub fn is_for(&self, resource: &str, resource_type: &str) -> bool {
        self.resource_type == resource_type
            && (self.resources.is_empty() || self.resources.iter().any(|name| name == resource))
    }
}
