//! The part of every grant in a decision, for people.

use serde_json::Value;

use super::Engine;
use super::check::{CheckError, Stop};
use super::reading::Reading;
use crate::decision::{Call, Decision, DimensionTrace, Facts, GrantTrace, Trace};
use crate::matching::{Canonical, Values};
use crate::selector;
use crate::source::{Dimension, Grant, WhenUnset};

impl Engine {
    pub(super) fn decide_and_explain(&self, call: &Call<'_>, facts: &Facts) -> Decision {
        let reading = self.read(call);
        let trace = self.whole_trace(call, &reading, facts);
        Decision {
            verdict: self.verdict(reading, facts),
            trace,
        }
    }

    /// The part of every grant and budget.
    pub(super) fn whole_trace(
        &self,
        call: &Call<'_>,
        reading: &Result<Reading<'_>, CheckError>,
        facts: &Facts,
    ) -> Trace {
        Trace {
            grants: self.grant_traces(reading, facts),
            budgets: match reading {
                Ok(_) => self.budget_traces(facts),
                Err(_) => Vec::new(),
            },
            ..self.outline(call, reading)
        }
    }

    fn grant_traces(&self, reading: &Result<Reading<'_>, CheckError>, facts: &Facts) -> Vec<GrantTrace> {
        let Ok(reading) = reading else { return Vec::new() };
        let grants = reading.binding.grants.iter().enumerate();
        grants
            .map(|(place, grant)| self.grant_trace(reading, place, grant, facts))
            .collect()
    }

    fn grant_trace(&self, reading: &Reading<'_>, place: usize, grant: &Grant, facts: &Facts) -> GrantTrace {
        let covers_tool = selector::covers(grant, reading.tool);
        let mut dimensions = Vec::new();
        let mut fits = covers_tool;
        for (number, dimension) in reading
            .binding
            .dimensions
            .iter()
            .enumerate()
            .filter(|_| covers_tool)
        {
            let ruled = reading.entry.ruled.contains(&number);
            fits &= if ruled && grant.scope.contains_key(&dimension.name) {
                dimensions.push(self.trace_rules(reading, (number, dimension), (place, grant), facts));
                // What stops the grant says why no rule holds.
                true
            } else {
                reading.trace_dimension((number, dimension), (place, grant), &mut dimensions)
            };
        }
        let stop = if fits {
            self.stop(reading, place, grant, facts)
        } else {
            None
        };
        GrantTrace {
            grant: grant.origin.clone(),
            covers_tool,
            dimensions,
            permits: fits && stop.is_none(),
            stopped_by: stop.map(|stop| match stop {
                Stop::Rule(message) | Stop::Quota(message) => message,
                Stop::NotValidNow => "not valid now".to_owned(),
            }),
        }
    }
}

impl Engine {
    /// The part of a dimension with rules over the whole call: which of them holds, whatever the other dimensions say.
    fn trace_rules(
        &self,
        reading: &Reading<'_>,
        (number, dimension): (usize, &Dimension),
        (place, grant): (usize, &Grant),
        facts: &Facts,
    ) -> DimensionTrace {
        let patterns = grant
            .scope
            .get(&dimension.name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let loaded = reading.loaded.dimensions.get(number);
        let rules = loaded.map(|loaded| loaded.rules_of(place)).unwrap_or_default();
        let moment = self.moment(reading, facts);
        let mut pairs = rules.iter().zip(patterns);
        let held = pairs.find(|(rule, _)| rule.holds(&moment).unwrap_or_default());
        let held = held.map(|(_, pattern)| pattern.clone());
        let failed = if held.is_some() { &[][..] } else { patterns };
        trace(&dimension.name, Value::Null, held, failed)
    }
}

impl Reading<'_> {
    /// Adds one dimension's part, if it has one; answers whether the grant may still permit.
    fn trace_dimension(
        &self,
        (number, dimension): (usize, &Dimension),
        (place, grant): (usize, &Grant),
        traces: &mut Vec<DimensionTrace>,
    ) -> bool {
        let name = &dimension.name;
        let values = self.values_of(number);
        let ruled = self.entry.ruled.contains(&number);
        let Some(patterns) = grant.scope.get(name) else {
            if ruled || self.entry.fed.contains(&number) {
                traces.push(trace(
                    name,
                    values.iter().map(Canonical::to_value).collect(),
                    None,
                    &[],
                ));
                return dimension.when_unset == WhenUnset::Allow;
            }
            return true;
        };
        if values.is_empty() {
            traces.push(trace(name, Value::Null, None, patterns));
            return false;
        }
        let mut fits = true;
        for value in values {
            let matched = self.matched(number, place, value, patterns);
            fits &= matched.is_some();
            let failed = if matched.is_some() { &[][..] } else { patterns };
            traces.push(trace(name, value.to_value(), matched, failed));
        }
        fits
    }

    /// The values that the call feeds to a dimension.
    fn values_of(&self, dimension: usize) -> &[Canonical] {
        let slot = self.entry.fed.iter().position(|fed| *fed == dimension);
        slot.and_then(|slot| self.values.get(slot))
            .map(Values::as_slice)
            .unwrap_or_default()
    }

    /// The pattern, as it is written, that admits the value.
    fn matched(
        &self,
        dimension: usize,
        grant: usize,
        value: &Canonical,
        patterns: &[Value],
    ) -> Option<Value> {
        let loaded = self.loaded.dimensions.get(dimension)?;
        let place = loaded
            .patterns_of(grant)
            .position(|pattern| pattern.matches(value))?;
        patterns.get(place).cloned()
    }
}

fn trace(dimension: &str, value: Value, matched: Option<Value>, failed: &[Value]) -> DimensionTrace {
    DimensionTrace {
        dimension: dimension.to_owned(),
        value,
        matched,
        failed: failed.to_vec(),
    }
}
