//! `ResourceType`: the declarative contract of an integration.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::credential_method::{CredentialMethod, MethodField, Presentation};
pub use self::dimension::{Dimension, Match, Unit, WhenUnset};
pub use self::tool::{Feed, FeedFrom, Tool};
use super::status::ObjectStatus;
use crate::schema;

pub mod credential_method;
pub mod dimension;
pub mod request;
pub mod tool;

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
#[x_kube(validation = Rule::new("self.executor != 'http' || self.tools.all(t, has(t.http))")
    .message("every tool of executor http needs its request template, spec.tools[].http"))]
#[x_kube(validation = Rule::new("self.executor == 'http' || self.tools.all(t, !has(t.http))")
    .message("spec.tools[].http is only for executor http"))]
#[x_kube(validation = Rule::new("self.executor != 'http' || !has(self.credentials) || self.credentials.all(c, has(c.presentation))")
    .message("every credential method of executor http says how it is sent, spec.credentials[].presentation"))]
pub struct ResourceTypeSpec {
    /// Who carries the calls out: `http` (declarative requests) or `shell` (commands in a sandbox). The others do not exist yet, and a type
    /// that names one is refused.
    pub executor: Executor,
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

/// Who carries calls out.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Executor {
    /// Declarative HTTP requests.
    Http,
    /// A server of the Model Context Protocol.
    Mcp,
    /// Commands on another machine.
    Ssh,
    /// Commands in a sandbox.
    Shell,
    /// Reading of web pages.
    Web,
    /// A web browser.
    Browser,
    /// A container engine.
    Docker,
    /// Another bot.
    Bot,
    /// An agent that dials in from outside.
    Agent,
}

/// The settings of an instance.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// A JSON Schema (2020-12) of type `object` that a Resource's `config` must satisfy.
    #[schemars(schema_with = "schema::open_object")]
    pub schema: Value,
}

impl Executor {
    /// Whether this version of Monstrum can carry its calls out.
    pub fn is_available(self) -> bool {
        matches!(self, Self::Http | Self::Shell)
    }

    /// Whether its calls run programs that are not Monstrum's, and so need a sandbox of their own.
    pub fn runs_foreign_code(self) -> bool {
        matches!(self, Self::Shell | Self::Mcp | Self::Browser)
    }
}
