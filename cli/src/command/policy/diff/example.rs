//! Calls that one policy permits and another does not.

use monstrum_guardian::Engine;
use monstrum_guardian::decision::{Call, Facts, Verdict};
use monstrum_guardian::document::Document;
use serde::Serialize;
use serde_json::Value;

use crate::policy::{calls, covered_tools, exceeding_calls, seen_name};

/// How many examples there are of one grant and tool.
const PER_TOOL: usize = 2;

/// A call that the engine was asked about.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Example {
    pub(super) tool: String,
    pub(super) grant: String,
    pub(super) arguments: Value,
    /// Whether a person must agree first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) needs_approval: bool,
}

/// Calls that `new` permits and `old` does not, or not without approval.
pub(super) fn newly_permitted(old: &Document, new: &Document) -> Vec<Example> {
    let (Ok(before), Ok(after)) = (Engine::load(old), Engine::load(new)) else {
        return Vec::new();
    };
    let (facts_before, facts_after) = (fresh(&before), fresh(&after));
    let mut examples: Vec<Example> = Vec::new();
    for binding in &new.bindings {
        for grant in &binding.grants {
            let covered = covered_tools(new, binding, grant);
            for tool in binding
                .tools
                .iter()
                .filter(|tool| covered.contains(&seen_name(binding, tool)))
            {
                let name = seen_name(binding, tool);
                let mut found = 0_usize;
                // First what the comparison of patterns found to be new.
                let telling = exceeding_calls(old, binding, tool, grant);
                for arguments in telling.into_iter().chain(calls(binding, tool, grant)) {
                    let text = arguments.to_string();
                    let call = Call {
                        tool: &name,
                        arguments: &text,
                    };
                    let (was, is) = (
                        before.check(&call, &facts_before).verdict,
                        after.check(&call, &facts_after).verdict,
                    );
                    let Some(by) = permits_more(&was, &is) else {
                        continue;
                    };
                    let example = Example {
                        tool: name.clone(),
                        grant: by,
                        arguments,
                        needs_approval: matches!(is, Verdict::NeedsApproval(_)),
                    };
                    if examples.contains(&example) {
                        continue;
                    }
                    examples.push(example);
                    found = found.saturating_add(1);
                    if found >= PER_TOOL {
                        break;
                    }
                }
            }
        }
    }
    examples
}

/// The grant that permits what was not permitted, or not without approval.
fn permits_more(was: &Verdict, is: &Verdict) -> Option<String> {
    match (was, is) {
        (Verdict::Allow(_), _)
        | (_, Verdict::Deny(_))
        | (Verdict::NeedsApproval(_), Verdict::NeedsApproval(_)) => None,
        (Verdict::NeedsApproval(_) | Verdict::Deny(_), Verdict::Allow(permit))
        | (Verdict::Deny(_), Verdict::NeedsApproval(permit)) => Some(permit.grant.to_string()),
    }
}

/// The present, with nothing used of any quota or budget.
fn fresh(engine: &Engine) -> Facts {
    let counters = engine.counters().into_iter();
    Facts {
        now: jiff::Timestamp::now(),
        used: counters.map(|counter| (counter.key, 0)).collect(),
    }
}
