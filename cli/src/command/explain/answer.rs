//! A decision and how it came about, from here or from a gateway.

use monstrum_guardian::decision::{Call, Decision, Verdict as Decided};
use monstrum_guardian::source::{Dimension, Match, WhenUnset};
use monstrum_wire::guardian::{CheckResponse, Verdict as Sent};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::GatewayError;
use crate::exit::Exit;
use crate::policy::{BotPolicy, Problem, Requirement, requirements};

/// The answer, as it is written. The names are API.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) bot: String,
    /// Where the policy came from: `objects` or `gateway`.
    pub(super) policy_from: &'static str,
    /// Of the permissions alone, when they were compiled here: the policy's own digest covers its settings, too.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) permissions_digest: String,
    /// Of the policy that the gateway enforces, when it was asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) policy_digest: String,
    pub(super) tool: String,
    pub(super) arguments: Value,
    pub(super) verdict: Verdict,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) grant: String,
    /// The arguments that would be executed.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(super) canonical_arguments: Value,
    pub(super) trace: Trace,
    /// What would have had to be granted, or what stands in the way of that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) required: Vec<Requirement>,
    /// Problems of the objects that take grants away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) problems: Vec<String>,
    /// The arguments exactly as they were given.
    #[serde(skip)]
    pub(super) arguments_text: String,
    /// What the user must know beside the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
    /// Dimensions that restrict nothing where a grant does not mention them.
    #[serde(skip)]
    pub(super) optional: Vec<String>,
    /// Dimensions of rules over the whole call, where that is known.
    #[serde(skip)]
    pub(super) ruled: Option<Vec<String>>,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    Allow,
    NeedsApproval,
    Deny,
}

/// The engine's trace, as it reads and as it comes over the wire.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trace {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) binding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<String>,
    #[serde(default)]
    pub(super) grants: Vec<GrantTrace>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) budgets: Vec<BudgetTrace>,
}

/// One budget's part.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BudgetTrace {
    pub(super) of: String,
    pub(super) budget: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) used: Option<u64>,
    pub(super) limit: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stopped_by: Option<String>,
}

/// One grant's part.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GrantTrace {
    pub(super) grant: String,
    pub(super) covers_tool: bool,
    #[serde(default)]
    pub(super) dimensions: Vec<DimensionTrace>,
    pub(super) permits: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stopped_by: Option<String>,
}

/// One dimension's part in a grant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DimensionTrace {
    pub(super) dimension: String,
    pub(super) value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) matched: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) failed: Vec<Value>,
}

impl Answer {
    /// What this process's engine decided.
    pub(super) fn compiled(
        policy: &BotPolicy,
        tool: &str,
        arguments: &str,
        decision: &Decision,
        problems: &[Problem],
    ) -> Self {
        let mut answer = Self::blank(policy.title(), tool, arguments);
        policy.engine.digest().clone_into(&mut answer.permissions_digest);
        answer.trace = read(serde_json::to_value(&decision.trace).unwrap_or_default());
        answer.required = requirements(policy, &Call { tool, arguments }, decision);
        answer.problems = problems.iter().map(ToString::to_string).collect();
        answer.optional = dimensions(policy, tool, |dimension| dimension.when_unset == WhenUnset::Allow);
        answer.ruled = Some(dimensions(policy, tool, |dimension| {
            matches!(dimension.matching, Match::Cel {})
        }));
        answer.warnings.extend(policy.suspension());
        match &decision.verdict {
            Decided::Deny(denial) => {
                answer.reason = format!("{:?}", denial.reason);
                answer.message = denial.message.to_string();
            }
            Decided::Allow(permit) | Decided::NeedsApproval(permit) => {
                answer.grant = permit.grant.to_string();
                answer.canonical_arguments = permit.arguments.clone();
            }
        }
        answer.verdict = match &decision.verdict {
            Decided::Allow(_) => Verdict::Allow,
            Decided::NeedsApproval(_) => Verdict::NeedsApproval,
            Decided::Deny(_) => Verdict::Deny,
        };
        answer
    }

    /// What a gateway decided.
    pub(super) fn enforced(bot: String, tool: &str, arguments: &str, response: CheckResponse) -> Self {
        let verdict = match response.verdict() {
            Sent::Allow => Verdict::Allow,
            Sent::NeedsApproval => Verdict::NeedsApproval,
            Sent::Deny | Sent::Unspecified => Verdict::Deny,
        };
        Self {
            policy_from: "gateway",
            policy_digest: response.policy_digest,
            verdict,
            reason: response.reason,
            message: response.message,
            grant: response.grant,
            canonical_arguments: serde_json::from_str(&response.canonical_arguments_json).unwrap_or_default(),
            trace: read(serde_json::from_str(&response.trace_json).unwrap_or_default()),
            ..Self::blank(bot, tool, arguments)
        }
    }

    fn blank(bot: String, tool: &str, arguments: &str) -> Self {
        Self {
            bot,
            policy_from: "objects",
            permissions_digest: String::new(),
            policy_digest: String::new(),
            tool: tool.to_owned(),
            arguments: serde_json::from_str(arguments).unwrap_or_else(|_| arguments.into()),
            verdict: Verdict::Deny,
            reason: String::new(),
            message: String::new(),
            grant: String::new(),
            canonical_arguments: Value::Null,
            trace: Trace::default(),
            required: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            arguments_text: arguments.to_owned(),
            optional: Vec::new(),
            ruled: None,
        }
    }

    /// Notes whether the gateway decides the same.
    pub(super) fn compare(&mut self, live: Result<Self, GatewayError>) {
        match live {
            Err(error) => {
                self.warnings.push(format!(
                    "this follows from the objects; the gateway could not be asked: {error}"
                ));
            }
            Ok(live) if live.verdict == self.verdict && live.reason == self.reason => {
                self.policy_digest = live.policy_digest;
            }
            Ok(live) => {
                let why = format!("{} {}", live.reason, live.grant);
                self.warnings.push(format!(
                    "the gateway decides otherwise now: {:?} {} under policy {}; quotas or budgets may be used up, or the newest change is not enforced yet (see --enforced)",
                    live.verdict,
                    why.trim(),
                    if live.policy_digest.is_empty() { "none" } else { &live.policy_digest },
                ));
                self.policy_digest = live.policy_digest;
            }
        }
    }

    /// For the shell.
    pub(super) fn exit(&self) -> Exit {
        match self.verdict {
            Verdict::Allow => Exit::Success,
            Verdict::NeedsApproval => Exit::NeedsApproval,
            Verdict::Deny => Exit::Denied,
        }
    }
}

/// A trace of a newer gateway that does not read is shown as none.
fn read(value: Value) -> Trace {
    serde_json::from_value(value).unwrap_or_default()
}

fn dimensions(policy: &BotPolicy, tool: &str, which: fn(&Dimension) -> bool) -> Vec<String> {
    let Some((binding, _)) = policy.tool(tool) else {
        return Vec::new();
    };
    let dimensions = binding.dimensions.iter().filter(|dimension| which(dimension));
    dimensions.map(|dimension| dimension.name.clone()).collect()
}
