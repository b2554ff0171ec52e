//! Calls that one policy permits and another does not.

use monstrum_guardian::comparison::{Work, excesses};
use monstrum_guardian::containment::Outside;
use monstrum_guardian::decision::{Call, Facts, Verdict};
use monstrum_guardian::document::{Binding, Document};
use monstrum_guardian::source::{Grant, Tool};
use monstrum_guardian::{Engine, covers};
use serde::Serialize;
use serde_json::Value;

use crate::policy::{calls, seen_name};

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
    let (Some(before), Some(after)) = (Judge::of(old), Judge::of(new)) else {
        return Vec::new();
    };
    let mut examples: Vec<Example> = Vec::new();
    let mut work = Work::default();
    for binding in &new.bindings {
        for grant in &binding.grants {
            for tool in binding.tools.iter().filter(|tool| covers(grant, tool)) {
                let candidates = candidates(old, binding, (tool, grant), &mut work);
                let found = of_tool(&before, &after, &seen_name(binding, tool), candidates, &examples);
                examples.extend(found);
            }
        }
    }
    examples
}

fn of_tool(
    before: &Judge,
    after: &Judge,
    name: &str,
    candidates: Vec<Value>,
    known: &[Example],
) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    for arguments in candidates {
        let text = arguments.to_string();
        let (was, is) = (before.verdict(name, &text), after.verdict(name, &text));
        let Some(grant) = permits_more(&was, &is) else {
            continue;
        };
        let example = Example {
            tool: name.to_owned(),
            grant,
            arguments,
            needs_approval: matches!(is, Verdict::NeedsApproval(_)),
        };
        if !known.contains(&example) && !found.contains(&example) {
            found.push(example);
        }
        if found.len() >= PER_TOOL {
            break;
        }
    }
    found
}

/// First what the comparison of patterns found to be new.
fn candidates(
    old: &Document,
    binding: &Binding,
    (tool, grant): (&Tool, &Grant),
    work: &mut Work,
) -> Vec<Value> {
    let mut found = Vec::new();
    for excess in excesses(old, &binding.dimensions, tool, grant, work) {
        if let Outside::Value(value) = excess.outside {
            let mut pointed = grant.clone();
            pointed.scope.insert(excess.dimension, vec![value]);
            found.extend(calls(binding, tool, &pointed));
        }
    }
    found.extend(calls(binding, tool, grant));
    found
}

/// An engine with the present, and nothing used of any quota or budget.
struct Judge {
    engine: Engine,
    facts: Facts,
}

impl Judge {
    fn of(document: &Document) -> Option<Self> {
        let engine = Engine::load(document).ok()?;
        let counters = engine.counters().into_iter();
        let facts = Facts {
            now: jiff::Timestamp::now(),
            used: counters.map(|counter| (counter.key, 0)).collect(),
        };
        Some(Self { engine, facts })
    }

    fn verdict(&self, tool: &str, arguments: &str) -> Verdict {
        self.engine.check(&Call { tool, arguments }, &self.facts).verdict
    }
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
