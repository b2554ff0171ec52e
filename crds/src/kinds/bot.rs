//! `Bot`: an agent's identity, model, prompts, roles and bounds.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::pod::PodSettings;
use super::span::Span;
use crate::schema;

/// The most characters in the name of a Bot or a Resource: `<bot>-runner-<resource>` must fit into 63.
pub const MAX_NAME: usize = 27;

/// A governed agent. It can do what BotBindings and its roles permit, and nothing else.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "monstrum.dev",
    version = "v1alpha1",
    kind = "Bot",
    namespaced,
    status = "BotStatus",
    shortname = "mbot",
    category = "monstrum",
    derive = "PartialEq",
    scale(
        spec_replicas_path = ".spec.gateway.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    doc = "A governed agent. It can do what BotBindings and its roles permit, and nothing else.",
    validation = Rule::new("self.metadata.name.size() <= 27 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message("a Bot's name has at most 27 characters: lower-case letters, digits and '-', starting with a letter"),
    validation = Rule::new("!self.metadata.name.matches('-runner(-|$)')")
        .message("a Bot's name can't contain '-runner-' or end in '-runner': its pods would be called like another Bot's"),
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
    printcolumn(name = "Model", type_ = "string", json_path = ".status.model"),
    printcolumn(name = "Tools", type_ = "integer", json_path = ".status.tools"),
    printcolumn(name = "Policy", type_ = "string", json_path = ".status.enforcedDigest", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BotSpec {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub display_name: Option<String>,
    /// What it is for, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// The model that it thinks with; what is absent comes from the Workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<BotModel>,
    /// What it is told before every conversation; what is absent comes from the Workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<Prompts>,
    /// Names of BotRoles in the same namespace whose grants it has on the resources that it is bound to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub roles: Vec<String>,
    /// The bounds of its turns; what is absent comes from the Workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// How much it may use, over all its turns; the Workspace's budgets count besides. A bot whose budget has no room left makes
    /// no further call, or is not asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub budgets: Vec<Budget>,
    /// Its gateway: the pods that hold its conversations and enforce its policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewaySettings>,
    /// Its own runner: the pod that carries out calls which run no foreign code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<RunnerSettings>,
    /// Stops the bot: its pods go, its conversations stay.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}

/// Which model a bot thinks with.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BotModel {
    /// The name of a ModelProvider in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN))]
    pub provider: Option<String>,
    /// One of the provider's models, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// How freely it answers, from `0` to `2`. Sent to the provider only when set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 8),
        regex(pattern = schema::TEMPERATURE)
    )]
    pub temperature: Option<String>,
    /// The most tokens of one answer; absent means the model's own bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_output_tokens: Option<i32>,
    /// Only the likeliest words are taken, up to this share, from `0.0001` to `1`. Sent to the provider only when set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 6), regex(pattern = schema::SHARE))]
    pub top_p: Option<String>,
    /// Texts at which the answer ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), inner(length(min = 1, max = 64)))]
    pub stop: Vec<String>,
    /// The same seed gives the same answer to the same question, as far as the provider can. Not in the dialect `Anthropic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub seed: Option<i64>,
    /// How much it thinks before it answers. Absent means as the provider has it. In the dialect `Anthropic` this is a share of
    /// the answer's tokens, or a word for a model whose `request.thinking` is `Adaptive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Whether it calls tools: `Auto` as it sees fit, `Required` at least once in each turn (its first answer must call), `None`
    /// never. Absent means that nothing is said, which providers take as `Auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several tools at once. Absent means as the provider has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
}

/// How much a model thinks before it answers.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::undescribed)]
pub enum ReasoningEffort {
    /// Not at all.
    None,
    /// Hardly.
    Minimal,
    /// A little.
    Low,
    /// More.
    Medium,
    /// Much.
    High,
    /// Very much.
    ExtraHigh,
    /// As much as it can.
    Max,
}

/// Whether a model calls tools.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::undescribed)]
pub enum ToolChoice {
    /// As it sees fit.
    Auto,
    /// At least once in each turn: its first answer must call.
    Required,
    /// Never; it knows of its tools all the same.
    None,
}

/// What a bot is told before every conversation.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prompts {
    /// The system prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65_536))]
    pub system: Option<String>,
}

/// The bounds of a turn: one message and everything done to answer it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// How many times the model may be asked in one turn. Default: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub max_steps: Option<i32>,
    /// How long a turn may take. Default: `10m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_turn_duration: Option<Span>,
    /// How many tokens, in and out, a turn may use. Default: 500000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub max_turn_tokens: Option<i64>,
    /// How much of a tool's result is given to the model, in bytes. Default: 65536.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1_024, max = 16_777_216))]
    pub max_result_bytes: Option<i32>,
    /// How many tool calls may run at once. Default: 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub max_parallel_calls: Option<i32>,
    /// How many messages of a session may wait behind a running turn. Default: 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub max_queued_messages: Option<i32>,
    /// How long one tool call may take. Default: `60s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_timeout: Option<Span>,
}

/// The pods that hold a bot's conversations and enforce its policy.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GatewaySettings {
    /// How many pods. Default: 1. `kubectl scale` and a HorizontalPodAutoscaler change it where it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub replicas: Option<i32>,
    /// How they are labelled, sized, placed and run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<PodSettings>,
}

/// The pod that carries out a bot's calls which run no foreign code.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunnerSettings {
    /// How it is labelled, sized, placed and run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<PodSettings>,
}

/// How the bot stands.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BotStatus {
    /// The generation of the object that this status is about; -1 before the operator has seen the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Accepted, ResolvedRefs, Programmed and Ready, each with a reason and a sentence that says what to do. The reason of
    /// Ready is the cause. While an object is not ready it is Reconciling, which ends by itself, or Stalled, which does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The digest of the policy that its objects amount to now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub policy_digest: Option<String>,
    /// The digest of the policy that all its gateways enforce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub enforced_digest: Option<String>,
    /// How many gateway pods there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub replicas: Option<i32>,
    /// The labels of the gateway pods, as a selector in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub selector: Option<String>,
    /// How many tools it sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub tools: Option<i32>,
    /// The model in use, as `provider/name`, after the Workspace's defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub model: Option<String>,
    /// The bounds in use, after the Workspace's and the installation's defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}
