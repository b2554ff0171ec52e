//! `ModelProvider`: a language model's API.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::shape::{PromptCache, ReasoningState, RequestShape, Thinking};
use super::proxy::Proxy;
use super::span::Span;
use super::status::ObjectStatus;
use crate::schema;

mod shape;

/// The field of a Credential that a model provider's key is taken from.
pub const KEY_FIELD: &str = "apiKey";

/// An API that serves language models: a hosted one, or one of your own that speaks the same dialect.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "monstrum.dev",
    version = "v1alpha1",
    kind = "ModelProvider",
    namespaced,
    status = "ObjectStatus",
    shortname = "mmp",
    category = "monstrum",
    derive = "PartialEq",
    doc = "An API that serves language models: a hosted one, or one of your own that speaks the same dialect.",
    printcolumn(name = "Dialect", type_ = "string", json_path = ".spec.dialect"),
    printcolumn(name = "URL", type_ = "string", json_path = ".spec.baseUrl"),
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
#[x_kube(validation = Rule::new("!has(self.authHeader) || has(self.credential)")
    .message("authHeader says how the key is sent, so a credential must be named as well"))]
pub struct ModelProviderSpec {
    /// How the API is spoken to: `OpenAI` (Chat Completions) or `Anthropic` (Messages).
    pub dialect: Dialect,
    /// The API's address up to the part that the dialect adds (`/chat/completions` or `/messages`), for example `https://api.example.com/v1`.
    /// Without user name, query and fragment.
    #[schemars(length(min = 8, max = 1024), regex(pattern = schema::HTTP_URL))]
    pub base_url: String,
    /// Further headers of each request. Never secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub headers: Vec<Header>,
    /// The models that bots may use.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub models: Vec<Model>,
    /// The name of a Credential in the same namespace whose field `apiKey` is the key; absent where none is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN))]
    pub credential: Option<String>,
    /// The header that the key is sent in, if not the dialect's own (`Authorization: Bearer` or `x-api-key`); bare, but in `Authorization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = schema::HEADER))]
    pub auth_header: Option<String>,
    /// How long one request may take, first byte to last. Default: `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_timeout: Option<Span>,
    /// What requests look like, where this API differs from others of its dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestShape>,
    /// Address ranges that the provider may be reached at although they are not the public internet, for example `10.20.0.0/16`. A `baseUrl` with a literal
    /// private address or a Service of the cluster (`http://ollama.models.svc:11434/v1`) needs none.
    /// Loopback, link-local and cloud metadata addresses are never reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 2, max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_addresses: Vec<String>,
    /// PEM certificates of the authorities that the server's certificate is verified with, instead of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65_536))]
    pub ca_certificate: Option<String>,
    /// What the connections go through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
}

/// How a model API is spoken to.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI Chat Completions.
    OpenAI,
    /// Anthropic Messages.
    Anthropic,
}

/// A request header.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    /// Its name.
    #[schemars(length(min = 1, max = 128), regex(pattern = schema::HEADER))]
    pub name: String,
    /// Its value.
    #[schemars(length(max = 1024), regex(pattern = schema::HEADER_VALUE))]
    pub value: String,
}

/// One model.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Model {
    /// The provider's id of the model.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// How many tokens fit into one request. Absent means unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000_000))]
    pub context_tokens: Option<i32>,
    /// The most tokens of one answer. Default: 4096.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_output_tokens: Option<i32>,
    /// Whether it takes images. One that does not is told of them in words. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<bool>,
    /// What requests for it look like; what is absent is as the provider's own `request` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestShape>,
    /// What its tokens cost; absent means nothing. Where a budget counts money they must be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Prices>,
}

/// US dollars per million tokens, as decimal strings.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prices {
    /// For tokens that are sent, for example `"2.50"`.
    #[schemars(length(min = 1, max = 13), regex(pattern = schema::DECIMAL))]
    pub input: String,
    /// For tokens that are sent and that the provider had cached; absent means the same as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 13), regex(pattern = schema::DECIMAL))]
    pub cached_input: Option<String>,
    /// For tokens that are sent and that the provider writes to its cache; absent means what Anthropic asks for it where the
    /// dialect is `Anthropic` (a quarter more than `input`, or twice as much with `promptCache: OneHour`), elsewhere the same as
    /// `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 13), regex(pattern = schema::DECIMAL))]
    pub cache_write: Option<String>,
    /// For tokens that are received.
    #[schemars(length(min = 1, max = 13), regex(pattern = schema::DECIMAL))]
    pub output: String,
}
