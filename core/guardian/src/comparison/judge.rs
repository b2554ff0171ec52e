//! One comparison of two policies.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{Widening, contract, counting, grant, target};
use crate::containment::{Containment, Effort, MAX_EFFORT, bounded, closed, excess};
use crate::document::{Binding, Document};
use crate::naming;
use crate::selector;
use crate::source::{Dimension, FeedFrom, Grant, Match, Tool};

/// How much work a whole comparison may be, in comparisons of the largest sort.
const MAX_COMPARISONS: usize = 32;
/// How many grants are named as not covering a new one.
const NAMED: usize = 4;

/// A tool of the old policy with its binding.
type Held<'a> = (&'a Binding, &'a Tool);

/// The old policy, and what was compared already.
pub(super) struct Judge<'a> {
    /// By the name that the bot calls a tool by.
    held: BTreeMap<String, Held<'a>>,
    effort: Effort,
    /// By the old and the new grant, which are told by where they are, and the dimension.
    known: HashMap<(usize, usize, String), Containment>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(old: &'a Document) -> Self {
        let held = old.bindings.iter().flat_map(|binding| {
            let tools = binding.tools.iter();
            tools.map(move |tool| (seen_name(binding, tool), (binding, tool)))
        });
        Self {
            held: held.collect(),
            effort: Effort::of(MAX_EFFORT.saturating_mul(MAX_COMPARISONS)),
            known: HashMap::new(),
        }
    }

    /// What grants of a binding may permit of one tool beyond what was permitted.
    pub(super) fn of_tool(&mut self, binding: &Binding, tool: &Tool) -> Vec<Widening> {
        let name = seen_name(binding, tool);
        let covering: Vec<&Grant> = about(binding, tool).collect();
        let widening = |grant: &Grant, why: String| Widening {
            binding: binding.name.clone(),
            tool: name.clone(),
            grant: grant.origin.clone(),
            why,
        };
        let Some(&held) = self.held.get(&name) else {
            let why = self.unseen(binding, tool);
            return covering
                .iter()
                .map(|grant| widening(grant, why.clone()))
                .collect();
        };
        let mut found: Vec<Widening> = covering
            .iter()
            .filter_map(|grant| {
                let why = self.proven(held, (binding, tool), grant).err()?;
                Some(widening(grant, why))
            })
            .collect();
        if found.is_empty() {
            let before: Vec<&Grant> = about(held.0, held.1).collect();
            let shifted = counting::shifted(&binding.dimensions, &before, &covering);
            let first = covering.first().zip(shifted);
            found.extend(first.map(|(grant, why)| widening(grant, why)));
        }
        found
    }

    /// Why a tool counts as new.
    fn unseen(&self, binding: &Binding, tool: &Tool) -> String {
        let before = self
            .held
            .iter()
            .find(|(_, (before, same))| before.name == binding.name && same.name == tool.name);
        match before {
            Some((name, _)) => format!("the tool was called {name} before"),
            None => "the tool was not visible before".to_owned(),
        }
    }

    /// Whether what the grant permits of the tool was permitted.
    fn proven(
        &mut self,
        (before, same): Held<'a>,
        (binding, tool): (&Binding, &Tool),
        grant: &Grant,
    ) -> Result<(), String> {
        let dimensions = &binding.dimensions;
        if dimensions
            .iter()
            .any(|dimension| closed(grant, dimension, tool).is_some())
        {
            return Ok(());
        }
        let candidates: Vec<&Grant> = about(before, same).collect();
        let mut changes = target::changes(before, binding);
        let ruled = dimensions.iter().any(|dimension| {
            matches!(dimension.matching, Match::Cel {}) && grant.scope.contains_key(&dimension.name)
        });
        let of_tool = contract::tool_changes(same, tool, ruled);
        changes.extend(
            of_tool
                .into_iter()
                .filter(|change| change.may_widen)
                .map(|change| change.words),
        );
        let mentioned: Vec<&Grant> = candidates.iter().copied().chain([grant]).collect();
        changes.extend(contract::dimension_changes(
            (before, same),
            (binding, tool),
            &mentioned,
        ));
        if !changes.is_empty() {
            return Err(changes.join("; "));
        }
        let pair = Pair {
            dimensions,
            same,
            tool,
            same_binding: before.name == binding.name,
        };
        self.covered(&pair, &candidates, grant)
    }

    /// Whether one of the old grants, or several together, cover the new one.
    fn covered(&mut self, pair: &Pair<'_>, candidates: &[&Grant], grant: &Grant) -> Result<(), String> {
        let mut reasons = BTreeSet::new();
        for old in candidates {
            match self.within(pair, old, grant) {
                Ok(()) => return Ok(()),
                Err(why) => reasons.insert(format!("{}: {why}", old.origin)),
            };
        }
        if candidates.len() > 1 && self.together(pair, candidates, grant) {
            return Ok(());
        }
        let more = reasons.len().saturating_sub(NAMED);
        let mut told: Vec<String> = reasons.into_iter().take(NAMED).collect();
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        Err(format!(
            "no grant from before is known to cover it ({})",
            told.join("; ")
        ))
    }

    fn within(&mut self, pair: &Pair<'_>, old: &Grant, new: &Grant) -> Result<(), String> {
        let (known, effort) = (&mut self.known, &mut self.effort);
        let place = |grant: &Grant| std::ptr::from_ref(grant).addr();
        let compare = |dimension: &Dimension, ceiling: &[Value], granted: &[Value]| {
            let key = (place(old), place(new), dimension.name.clone());
            let answer = known.entry(key);
            answer
                .or_insert_with(|| bounded(dimension, ceiling, granted, effort))
                .clone()
        };
        if let Some(excess) = excess(pair.dimensions, pair.tool, old, new, compare) {
            return Err(excess.to_string());
        }
        grant::terms_kept((old, pair.same), (new, pair.tool), pair.same_binding)
    }

    /// Whether old grants that cover everything but one dimension, of which a call has exactly one value, cover that one together.
    fn together(&mut self, pair: &Pair<'_>, candidates: &[&Grant], grant: &Grant) -> bool {
        pair.dimensions.iter().any(|dimension| {
            is_single(pair.tool, dimension) && self.all_but(pair, candidates, grant, dimension)
        })
    }

    fn all_but(
        &mut self,
        pair: &Pair<'_>,
        candidates: &[&Grant],
        grant: &Grant,
        dimension: &Dimension,
    ) -> bool {
        let Some(granted) = grant.scope.get(&dimension.name) else {
            return false;
        };
        let mut patterns = Vec::new();
        for old in candidates {
            let Some(own) = old.scope.get(&dimension.name) else {
                continue;
            };
            let mut lifted = (*old).clone();
            lifted.scope.insert(dimension.name.clone(), granted.clone());
            let effort = &mut self.effort;
            let compare = |dimension: &Dimension, ceiling: &[Value], granted: &[Value]| {
                bounded(dimension, ceiling, granted, effort)
            };
            let rest = excess(pair.dimensions, pair.tool, &lifted, grant, compare);
            let terms = grant::terms_kept((old, pair.same), (grant, pair.tool), pair.same_binding);
            if rest.is_none() && terms.is_ok() {
                patterns.extend(own.iter().cloned());
            }
        }
        bounded(dimension, &patterns, granted, &mut self.effort) == Containment::Contained
    }
}

/// What two grants are compared for.
struct Pair<'a> {
    dimensions: &'a [Dimension],
    /// The tool before.
    same: &'a Tool,
    tool: &'a Tool,
    same_binding: bool,
}

fn seen_name(binding: &Binding, tool: &Tool) -> String {
    naming::final_name(binding.prefix.as_deref(), &tool.name)
}

/// The grants that are about a tool, by names alone.
fn about<'b>(binding: &'b Binding, tool: &'b Tool) -> impl Iterator<Item = &'b Grant> {
    binding
        .grants
        .iter()
        .filter(move |grant| selector::covers(grant, tool))
}

/// Whether every call that feeds the dimension at all feeds it exactly one value.
fn is_single(tool: &Tool, dimension: &Dimension) -> bool {
    let mut feeds = tool.scope.iter().filter(|feed| feed.dimension == dimension.name);
    match (feeds.next().map(|feed| &feed.from), feeds.next()) {
        (Some(FeedFrom::Template(_)), None) => true,
        (Some(FeedFrom::Pointer(pointer)), None) => is_scalar(&tool.parameters, pointer),
        _ => false,
    }
}

/// Whether the schema lets only one value stand where the pointer leads.
fn is_scalar(schema: &Value, pointer: &str) -> bool {
    let tokens = pointer.split('/').skip(1);
    let found = tokens
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .try_fold(schema, |schema, token| schema.get("properties")?.get(token));
    let kind = found
        .and_then(|schema| schema.get("type"))
        .and_then(Value::as_str);
    matches!(kind, Some("string" | "number" | "integer" | "boolean"))
}
