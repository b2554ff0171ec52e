//! Which grants and dimensions the tests reach.

use std::collections::BTreeMap;

use monstrum_guardian::decision::Decision;
use serde::Serialize;

use crate::policy::{BotPolicy, Compiled};

/// A grant is covered when a test's call is permitted by it. A dimension of a grant is covered when its patterns admit
/// the value of one test's call and refuse that of another.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Coverage {
    grants: Vec<GrantCoverage>,
}

/// How often a grant was reached.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GrantCoverage {
    bot: String,
    binding: String,
    grant: String,
    permitted: u64,
    dimensions: BTreeMap<String, DimensionCoverage>,
}

/// How often a dimension of a grant was reached.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct DimensionCoverage {
    admitted: u64,
    refused: u64,
}

impl GrantCoverage {
    fn is(&self, bot: &str, binding: &str, grant: &str) -> bool {
        self.bot == bot && self.binding == binding && self.grant == grant
    }
}

impl Coverage {
    /// Nothing reached yet.
    pub(super) fn of(compiled: &Compiled) -> Self {
        let mut grants = Vec::new();
        for policy in &compiled.bots {
            let bindings = policy.document.bindings.iter();
            for (binding, grant) in
                bindings.flat_map(|binding| binding.grants.iter().map(move |grant| (binding, grant)))
            {
                let dimensions = grant
                    .scope
                    .keys()
                    .map(|name| (name.clone(), DimensionCoverage::default()));
                grants.push(GrantCoverage {
                    bot: policy.title(),
                    binding: binding.name.clone(),
                    grant: grant.origin.clone(),
                    permitted: 0,
                    dimensions: dimensions.collect(),
                });
            }
        }
        Self { grants }
    }

    /// Counts what a decision went through.
    pub(super) fn count(&mut self, policy: &BotPolicy, decision: &Decision) {
        let Some(binding) = &decision.trace.binding else {
            return;
        };
        let bot = policy.title();
        for trace in &decision.trace.grants {
            let known = self.grants.iter_mut();
            for known in known.filter(|known| known.is(&bot, binding, &trace.grant)) {
                known.permitted = known.permitted.saturating_add(u64::from(trace.permits));
                for dimension in &trace.dimensions {
                    let Some(reached) = known.dimensions.get_mut(&dimension.dimension) else {
                        continue;
                    };
                    // A rule over the whole call is held or broken by the grant.
                    let admitted =
                        dimension.matched.is_some() || (dimension.value.is_null() && trace.permits);
                    reached.admitted = reached.admitted.saturating_add(u64::from(admitted));
                    reached.refused = reached.refused.saturating_add(u64::from(!admitted));
                }
            }
        }
    }

    /// Both together. What two files reach of the same grant adds up.
    pub(super) fn join(&mut self, other: Self) {
        for grant in other.grants {
            match self
                .grants
                .iter_mut()
                .find(|known| known.is(&grant.bot, &grant.binding, &grant.grant))
            {
                None => self.grants.push(grant),
                Some(known) => {
                    known.permitted = known.permitted.saturating_add(grant.permitted);
                    for (name, reached) in grant.dimensions {
                        let known = known.dimensions.entry(name).or_default();
                        known.admitted = known.admitted.saturating_add(reached.admitted);
                        known.refused = known.refused.saturating_add(reached.refused);
                    }
                }
            }
        }
    }

    /// How many grants and dimensions there are, and how many are covered.
    pub(super) fn counts(&self) -> (u64, u64) {
        let mut counts = (0_u64, 0_u64);
        for grant in &self.grants {
            let dimensions = grant
                .dimensions
                .values()
                .map(|reached| reached.admitted > 0 && reached.refused > 0);
            for covered in dimensions.chain([grant.permitted > 0]) {
                counts = (
                    counts.0.saturating_add(1),
                    counts.1.saturating_add(u64::from(covered)),
                );
            }
        }
        counts
    }

    /// Rounded down; all of nothing is 100.
    pub(super) fn percent(&self) -> u64 {
        let (all, covered) = self.counts();
        covered.saturating_mul(100).checked_div(all).unwrap_or(100)
    }

    /// What no test reaches, in words.
    pub(super) fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for grant in &self.grants {
            let place = format!(
                "bot {}, binding {}, grant {}",
                grant.bot, grant.binding, grant.grant
            );
            if grant.permitted == 0 {
                gaps.push(format!("{place}: no test is permitted by it"));
            }
            for (name, reached) in &grant.dimensions {
                if reached.admitted == 0 {
                    gaps.push(format!("{place}: no test has a value that {name} admits"));
                }
                if reached.refused == 0 {
                    gaps.push(format!("{place}: no test has a value that {name} refuses"));
                }
            }
        }
        gaps
    }
}
