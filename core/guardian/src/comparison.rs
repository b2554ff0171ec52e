//! Whether one policy permits something that another does not.
//!
//! Calls are compared class by class: every grant of the new policy, tool by tool, with the grants of the old one that are about the same
//! tool. What a grant permits of a tool was permitted before if
//!
//! - the tool was visible under the same name, goes to the same target with the same credential, and takes and does the same;
//! - an old grant covers the tool, and each of its dimensions is at least as open ([`crate::containment`]); or several old grants do so
//!   together, where they differ in one dimension of which a call has exactly one value, so that no call needs two of them;
//! - that grant's limits are kept: its quotas by name, window, amount and counter, its approval, its validity.
//!
//! **Architecture invariant:** silence is a proof. Whatever is not proven to have been permitted is a [`Widening`], which may permit more;
//! whether it does is for an example to show, judged by the engine. What was left undecided, because it can't be or was too much work,
//! is one too. So is a tool that becomes visible, though no call of it be permitted.

mod contract;
mod counting;
mod grant;
mod json;
mod judge;
mod target;
mod words;

use serde::Serialize;
use serde_json::Value;

use self::judge::Judge;
use crate::containment::{Containment, Effort, Excess, MAX_EFFORT, bounded, excess};
use crate::document::Document;
use crate::selector::covers;
use crate::source::{Budget, Dimension, Grant, Tool};

pub use contract::{ToolChange, tool_changes};
pub use json::differences;
pub use words::{grant_changes, grant_words, quota_words};

/// How much work comparisons that belong together may be, in comparisons of the largest sort.
const MAX_COMPARISONS: usize = 8;

/// A grant that permits calls of a tool which are not known to have been permitted before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Widening {
    /// The binding in the new policy; empty for what is not a binding's.
    pub binding: String,
    /// The tool, as the bot sees it; empty for what is not a tool's.
    pub tool: String,
    /// The grant's origin.
    pub grant: String,
    /// Why it is not known to be harmless.
    pub why: String,
}

/// Everything that `new` may permit beyond `old`, ordered; nothing if it is proven to permit no more.
pub fn widenings(old: &Document, new: &Document) -> Vec<Widening> {
    let mut judge = Judge::new(old);
    let mut found = Vec::new();
    for binding in &new.bindings {
        for tool in &binding.tools {
            found.extend(judge.of_tool(binding, tool));
        }
    }
    found.extend(target::delegations(old, new));
    found.sort();
    found.dedup();
    found
}

/// Comparisons that share a bound on their work. Beyond it nothing is known.
#[derive(Debug)]
pub struct Work(Effort);

impl Default for Work {
    fn default() -> Self {
        Self(Effort::of(MAX_EFFORT.saturating_mul(MAX_COMPARISONS)))
    }
}

impl Work {
    /// [`within`] with this bound.
    pub fn within(
        &mut self,
        dimensions: &[Dimension],
        tool: &Tool,
        old: &Grant,
        new: &Grant,
    ) -> Result<(), String> {
        if let Some(excess) = self.beyond(dimensions, tool, old, new) {
            return Err(excess.to_string());
        }
        grant::terms_kept((old, tool), (new, tool), true)
    }

    /// [`crate::containment::contains`] with this bound.
    pub fn contains(&mut self, dimension: &Dimension, ceiling: &[Value], granted: &[Value]) -> Containment {
        bounded(dimension, ceiling, granted, &mut self.0)
    }

    fn beyond(&mut self, dimensions: &[Dimension], tool: &Tool, old: &Grant, new: &Grant) -> Option<Excess> {
        excess(dimensions, tool, old, new, |dimension, ceiling, granted| {
            bounded(dimension, ceiling, granted, &mut self.0)
        })
    }
}

/// Whether `old` is known to permit everything that `new` permits of the tool, as often and as freely, both being grants of one binding;
/// else why not.
pub fn within(dimensions: &[Dimension], tool: &Tool, old: &Grant, new: &Grant) -> Result<(), String> {
    Work::default().within(dimensions, tool, old, new)
}

/// How many old grants an example is looked for beyond.
const EXAMPLES: usize = 8;

/// Where a grant goes beyond old grants that are about the tool, so that an example can be looked for there.
pub fn excesses(
    old: &Document,
    dimensions: &[Dimension],
    tool: &Tool,
    grant: &Grant,
    work: &mut Work,
) -> Vec<Excess> {
    let before = old.bindings.iter().flat_map(|binding| &binding.grants);
    let about = before.filter(|before| covers(before, tool)).take(EXAMPLES);
    let mut found: Vec<Excess> = Vec::new();
    for excess in about.filter_map(|before| work.beyond(dimensions, tool, before, grant)) {
        if !found.contains(&excess) {
            found.push(excess);
        }
    }
    found
}

/// The budgets of `old` that nothing in `new` keeps. A budget is a counter: under another name, owner or window it begins with nothing used.
pub fn loosened<'a>(old: &'a Document, new: &Document) -> Vec<&'a Budget> {
    let kept = |budget: &Budget| {
        new.budgets.iter().any(|other| {
            (other.of, &other.name, other.counts, other.window_seconds)
                == (budget.of, &budget.name, budget.counts, budget.window_seconds)
                && other.limit <= budget.limit
        })
    };
    old.budgets.iter().filter(|budget| !kept(budget)).collect()
}
