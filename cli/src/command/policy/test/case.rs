//! One test.

use std::collections::BTreeMap;

use jiff::Timestamp;
use monstrum_guardian::decision::{Call, CounterKey, Decision, Facts, Reason, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::outcome::Mismatch;
use crate::policy::BotPolicy;

/// A test as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Case {
    pub(super) name: String,
    #[serde(default)]
    pub(super) bot: Option<String>,
    #[serde(default)]
    pub(super) tool: Option<String>,
    #[serde(default)]
    arguments: Option<Value>,
    #[serde(default)]
    arguments_text: Option<String>,
    #[serde(default)]
    expect: Option<Expected>,
    #[serde(default)]
    reason: Option<Reason>,
    #[serde(default)]
    grant: Option<String>,
    #[serde(default)]
    canonical: Option<Value>,
    #[serde(default)]
    now: Option<Timestamp>,
    #[serde(default)]
    used: BTreeMap<String, u64>,
    #[serde(default)]
    sees: Option<Vec<String>>,
    #[serde(default)]
    hides: Option<Vec<String>>,
}

/// The decision that is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Expected {
    Allow,
    NeedsApproval,
    Deny,
}

impl Case {
    /// What is wrong with the test itself: field and message.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        let looks = self.sees.is_some() || self.hides.is_some();
        match (&self.tool, &self.expect) {
            (None, None) if looks => None,
            (None, None) => Some(("name", "a test needs a call (tool and expect), or sees, or hides")),
            (None, Some(_)) => Some(("expect", "which call? add tool and arguments")),
            (Some(_), _) if looks => {
                Some(("tool", "a test is a call, or says what is seen; split it in two"))
            }
            (Some(_), None) => Some((
                "tool",
                "which decision? add expect: allow, deny or needs-approval",
            )),
            (Some(_), Some(Expected::Deny)) if self.grant.is_some() || self.canonical.is_some() => {
                Some(("expect", "a denied call has no grant and no canonical arguments"))
            }
            (Some(_), Some(Expected::Allow | Expected::NeedsApproval)) if self.reason.is_some() => {
                Some(("reason", "only a denial has a reason"))
            }
            (Some(_), Some(_)) if self.arguments.is_some() && self.arguments_text.is_some() => {
                Some(("argumentsText", "give arguments or argumentsText, not both"))
            }
            (Some(_), Some(_)) => None,
        }
    }

    /// The call's decision, if the test is a call.
    pub(super) fn decide(&self, policy: &BotPolicy, now: Timestamp) -> Option<Decision> {
        let tool = self.tool.as_deref()?;
        let facts = self.facts(policy, now);
        Some(policy.engine.explain(
            &Call {
                tool,
                arguments: &self.arguments(),
            },
            &facts,
        ))
    }

    /// As the engine is given them.
    pub(super) fn arguments(&self) -> String {
        match (&self.arguments_text, &self.arguments) {
            (Some(text), _) => text.clone(),
            (None, Some(value)) => value.to_string(),
            (None, None) => "{}".to_owned(),
        }
    }

    fn facts(&self, policy: &BotPolicy, now: Timestamp) -> Facts {
        let mut facts = policy.fresh_facts(self.now.unwrap_or(now));
        let keys: Vec<CounterKey> = facts.used.keys().cloned().collect();
        for key in keys {
            if let Some(used) = self.used.get(&written(&key)) {
                facts.used.insert(key, *used);
            }
        }
        facts
    }

    /// Whether everything is as expected.
    pub(super) fn judge(&self, policy: &BotPolicy, decision: Option<&Decision>) -> Vec<Mismatch> {
        match decision {
            Some(decision) => self.judge_call(decision),
            None => self.judge_view(policy),
        }
    }

    fn judge_call(&self, decision: &Decision) -> Vec<Mismatch> {
        let mut mismatches = Vec::new();
        let (verdict, reason, permit) = match &decision.verdict {
            Verdict::Allow(permit) => (Expected::Allow, None, Some(permit)),
            Verdict::NeedsApproval(permit) => (Expected::NeedsApproval, None, Some(permit)),
            Verdict::Deny(denial) => (Expected::Deny, Some(denial.reason), None),
        };
        if self.expect != Some(verdict) || (self.reason.is_some() && self.reason != reason) {
            let expected = said(self.expect, self.reason);
            mismatches.push(Mismatch::new("decision", expected, said(Some(verdict), reason)));
        }
        if let (Some(expected), Some(permit)) = (&self.grant, permit)
            && *expected != permit.grant
        {
            mismatches.push(Mismatch::new("grant", expected.clone(), permit.grant.to_string()));
        }
        if let (Some(expected), Some(permit)) = (&self.canonical, permit)
            && *expected != permit.arguments
        {
            mismatches.push(Mismatch::new(
                "canonical",
                expected.to_string(),
                permit.arguments.to_string(),
            ));
        }
        mismatches
    }

    fn judge_view(&self, policy: &BotPolicy) -> Vec<Mismatch> {
        let visible: Vec<String> = policy.engine.tools().into_iter().map(|tool| tool.name).collect();
        let mut mismatches = Vec::new();
        if let Some(expected) = &self.sees {
            let mut expected = expected.clone();
            expected.sort();
            if expected != visible {
                mismatches.push(Mismatch::new("sees", expected.join(", "), visible.join(", ")));
            }
        }
        for hidden in self.hides.iter().flatten() {
            if visible.contains(hidden) {
                mismatches.push(Mismatch::new(
                    "hides",
                    format!("{hidden} is not visible"),
                    format!("{hidden} is visible"),
                ));
            }
        }
        mismatches
    }
}

/// The name of a counter in a test: `GRANT/QUOTA`, `bot/BUDGET` or `workspace/BUDGET`.
fn written(key: &CounterKey) -> String {
    match key {
        CounterKey::Grant { grant, quota, .. } => format!("{grant}/{quota}"),
        CounterKey::Bot { budget, .. } => format!("bot/{budget}"),
        CounterKey::Workspace { budget, .. } => format!("workspace/{budget}"),
    }
}

fn said(verdict: Option<Expected>, reason: Option<Reason>) -> String {
    let verdict = match verdict {
        Some(Expected::Allow) => "allow",
        Some(Expected::NeedsApproval) => "needs-approval",
        Some(Expected::Deny) => "deny",
        None => "",
    };
    reason.map_or_else(|| verdict.to_owned(), |reason| format!("{verdict} {reason:?}"))
}
