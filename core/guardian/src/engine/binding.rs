//! One binding's dimensions and tools, compiled.

use std::sync::Arc;

use super::grant_set::GrantSet;
use super::index::Index;
use crate::decision::Name;
use crate::feed::CompiledFeed;
use crate::matching::{Canonical, Pattern, Rule};
use crate::parameters::Parameters;

/// Below this number each grant is asked directly.
const FEW: u32 = 4;

/// The compiled parts of one binding of the document.
#[derive(Debug)]
pub(super) struct LoadedBinding {
    pub(super) name: Name,
    /// Of each grant.
    pub(super) origins: Vec<Name>,
    /// In the order of the binding's dimensions.
    pub(super) dimensions: Vec<LoadedDimension>,
}

/// One dimension with the patterns of every grant.
#[derive(Debug)]
pub(super) struct LoadedDimension {
    pub(super) kind: DimensionKind,
    /// The grants that do not mention it.
    pub(super) unset: GrantSet,
}

#[derive(Debug)]
pub(super) enum DimensionKind {
    /// Compared with the values that a call feeds.
    Patterns(PatternTable),
    /// `Cel` rules over the whole call, by grant.
    Rules(Vec<Vec<Rule>>),
}

/// Every distinct pattern of a dimension, and which grants hold it.
#[derive(Debug)]
pub(super) struct PatternTable {
    pub(super) patterns: Vec<Pattern>,
    /// The grants that hold each pattern.
    pub(super) holders: Vec<Vec<usize>>,
    /// The patterns that each grant holds, in its own order.
    pub(super) by_grant: Vec<Vec<usize>>,
    pub(super) index: Index,
}

/// One tool, ready to be called.
#[derive(Debug)]
pub(super) struct LoadedTool {
    /// Without prefix.
    pub(super) name: Name,
    pub(super) operation: Name,
    /// Places in the document.
    pub(super) binding: usize,
    pub(super) tool: usize,
    pub(super) parameters: Parameters,
    /// As the tool declares them.
    pub(super) feeds: Vec<CompiledFeed>,
    /// In which order to read the feeds: those that rewrite arguments first, so that the others see what is executed.
    pub(super) reading_order: Vec<usize>,
    /// The dimensions that the tool feeds, each once, in the order of reading.
    pub(super) fed: Vec<usize>,
    /// Their names.
    pub(super) names: Arc<[Name]>,
    /// Places in `fed`, the dimensions with the fewest patterns to try first.
    pub(super) trial_order: Vec<usize>,
    /// The `Cel` dimensions.
    pub(super) ruled: Vec<usize>,
    /// The grants that cover the tool and can permit a call of it: none of them restricts a dimension that the tool does not
    /// feed, and each mentions those that must be mentioned.
    pub(super) covering: GrantSet,
}

impl LoadedDimension {
    /// Keeps the grants that admit every value; where there is none, those that do not mention the dimension.
    pub(super) fn narrow(&self, values: &[Canonical], alive: &mut GrantSet) {
        if values.is_empty() {
            alive.intersect(&self.unset);
        }
        for value in values {
            if alive.len() <= FEW {
                alive.retain(|grant| self.admits(grant, value));
            } else {
                alive.intersect(&self.admitting(value));
            }
        }
    }

    /// Whether one grant admits one value.
    pub(super) fn admits(&self, grant: usize, value: &Canonical) -> bool {
        let held = match &self.kind {
            DimensionKind::Patterns(table) => table.holds(grant, value),
            DimensionKind::Rules(_) => false,
        };
        held || self.unset.contains(grant)
    }

    fn admitting(&self, value: &Canonical) -> GrantSet {
        let mut admitting = self.unset.clone();
        if let DimensionKind::Patterns(table) = &self.kind {
            table.index.candidates(&value.key(), |place| {
                if table
                    .patterns
                    .get(place)
                    .is_some_and(|pattern| pattern.matches(value))
                {
                    table
                        .holders
                        .get(place)
                        .into_iter()
                        .flatten()
                        .for_each(|grant| admitting.insert(*grant));
                }
            });
        }
        admitting
    }

    /// The patterns of one grant.
    pub(super) fn patterns_of(&self, grant: usize) -> impl Iterator<Item = &Pattern> {
        let table = match &self.kind {
            DimensionKind::Patterns(table) => Some(table),
            DimensionKind::Rules(_) => None,
        };
        table.into_iter().flat_map(move |table| {
            table
                .by_grant
                .get(grant)
                .into_iter()
                .flatten()
                .filter_map(|place| table.patterns.get(*place))
        })
    }

    /// The rules of one grant.
    pub(super) fn rules_of(&self, grant: usize) -> &[Rule] {
        match &self.kind {
            DimensionKind::Rules(rules) => rules.get(grant).map(Vec::as_slice).unwrap_or_default(),
            DimensionKind::Patterns(_) => &[],
        }
    }
}

impl PatternTable {
    /// Whether the grant holds a pattern that describes the value.
    fn holds(&self, grant: usize, value: &Canonical) -> bool {
        let held = self.by_grant.get(grant).map(Vec::as_slice).unwrap_or_default();
        held.iter()
            .filter_map(|place| self.patterns.get(*place))
            .any(|pattern| pattern.matches(value))
    }
}
