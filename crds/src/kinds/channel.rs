//! `Channel`: where people and programs talk to bots.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
pub use monstrum_contract::channel::webhook::Mode as WebhookMode;
use monstrum_guardian::destination;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pod::PodSettings;
use super::proxy::Proxy;
use super::secret::SecretKeyRef;
use super::span::Span;
use crate::schema;

/// Where people and programs talk to bots: it checks who speaks, and routes each message to a bot.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "monstrum.dev",
    version = "v1alpha1",
    kind = "Channel",
    namespaced,
    status = "ChannelStatus",
    shortname = "mch",
    category = "monstrum",
    derive = "PartialEq",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    doc = "Where people and programs talk to bots: it checks who speaks, and routes each message to a bot.",
    validation = Rule::new("self.metadata.name.size() <= 50 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message("a Channel's name has at most 50 characters: lower-case letters, digits and '-', starting with a letter"),
    validation = Rule::new("!self.metadata.name.matches('-runner(-|$)')")
        .message("a Channel's name can't contain '-runner-' or end in '-runner': its pods would be called like a Bot's"),
    printcolumn(name = "Bot", type_ = "string", json_path = ".spec.routes[0].bot"),
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
pub struct ChannelSpec {
    /// The platform that messages come from.
    #[serde(rename = "type")]
    pub type_: ChannelType,
    /// Which message goes to which bot. The first route that fits is taken; a message that fits none is refused.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub routes: Vec<Route>,
    /// Who may talk. Without it, or while it is empty, nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talkers: Option<Talkers>,
    /// How many pods. Default: 1. `kubectl scale` and a HorizontalPodAutoscaler change it where it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub replicas: Option<i32>,
    /// How the pods are labelled, sized, placed and run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<PodSettings>,
}

/// How the channel stands.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ChannelStatus {
    /// The generation of the object that this status is about; -1 before the operator has seen the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Accepted, ResolvedRefs, Programmed and Ready, each with a reason and a sentence that says what to do. The reason of
    /// Ready is the cause. While an object is not ready it is Reconciling, which ends by itself, or Stalled, which does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// How many pods there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub replicas: Option<i32>,
    /// The labels of the pods, as a selector in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub selector: Option<String>,
}

/// A platform that messages come from.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ChannelType {
    /// Signed HTTP requests, as Standard Webhooks describes them.
    Webhook(Webhook),
}

/// Signed HTTP requests with a JSON body, plain or gzip, signed as they are sent: with the headers of Standard Webhooks
/// (`webhook-id`, `webhook-timestamp`, `webhook-signature`) or those of Svix (`svix-…`).
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("self.mode != 'Callback' || has(self.callbackUrl)")
    .message("mode Callback needs callbackUrl: the address that answers are sent to"))]
#[x_kube(validation = Rule::new("self.mode == 'Callback' || !has(self.callbackUrl)")
    .message("callbackUrl is only for mode Callback"))]
pub struct Webhook {
    /// The signing secret, `whsec_` and base64 as Standard Webhooks writes it. It signs callbacks as well. Whoever owns the Secret
    /// agrees with its annotation `monstrum.dev/used-by: channel/NAME`.
    pub secret: SecretKeyRef,
    /// Whether the answer is the response (`Synchronous`) or is sent to `callbackUrl` later (`Callback`).
    pub mode: WebhookMode,
    /// Where answers are sent in mode `Callback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 8, max = 1024), regex(pattern = schema::HTTP_URL))]
    pub callback_url: Option<String>,
    /// Address ranges that callbacks may arrive at although they are not the public internet, for example `10.20.0.0/16`. A `callbackUrl` with a literal
    /// private address or a Service of the cluster needs none.
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
    /// How far a message's timestamp may be from the present, at most `1h`. Default: `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Span>,
    /// The largest body that is read, and that a compressed one is unpacked to. Default: 65536.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 256, max = 4_194_304))]
    pub max_body_bytes: Option<i32>,
}

impl Webhook {
    /// Where what the secret signs is sent: as a list of destinations.
    pub fn hosts(&self) -> Vec<String> {
        let proxy = self.proxy.as_ref().map(|proxy| proxy.url.as_str());
        [self.callback_url.as_deref(), proxy]
            .into_iter()
            .flatten()
            .filter_map(|url| destination::origin(&url::Url::parse(url).ok()?))
            .collect()
    }
}

/// The way to one bot, and which messages take it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// A name for it, unique in the channel.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::LABEL))]
    pub name: String,
    /// The name of a Bot in the same namespace.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::LABEL))]
    pub bot: String,
    /// Which requests take it, where the channel is a webhook. Default: all to `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookRoute>,
}

/// Which requests take a route, and where in their bodies the parts stand. Each message's id is its `webhook-id` header.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookRoute {
    /// The request path that it is for. Default: `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^/[-._~/a-zA-Z0-9]*$"))]
    pub path: Option<String>,
    /// What the body must say; all of it must fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[serde(rename = "match")]
    pub matches: Vec<FieldMatch>,
    /// Where the message's text stands in the body, as a JSON Pointer. Default: `/text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = schema::POINTER))]
    pub text: Option<String>,
    /// Where the sender's id stands in the body, as a JSON Pointer. Default: `/user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = schema::POINTER))]
    pub user: Option<String>,
    /// Where the conversation's id stands in the body, as a JSON Pointer. Absent means one conversation for each sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = schema::POINTER))]
    pub session: Option<String>,
}

/// One thing that a body must say.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldMatch {
    /// Where, as a JSON Pointer.
    #[schemars(length(min = 1, max = 256), regex(pattern = schema::POINTER))]
    pub pointer: String,
    /// What must stand there: a string, number or boolean, equal in type and value.
    #[schemars(schema_with = "schema::open_value")]
    pub equals: serde_json::Value,
}

/// Who may talk.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("!(has(self.everyone) && self.everyone) || !has(self.users) || size(self.users) == 0")
    .message("either everyone or users: remove one of them"))]
pub struct Talkers {
    /// Ids of senders who may talk; ids, not names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1_000), inner(length(min = 1, max = 256)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub users: Vec<String>,
    /// Whether everyone whose message carries the right signature may talk.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everyone: bool,
}
