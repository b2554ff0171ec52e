//! The part of every grant in a decision, for people.

use serde_json::Value;

use super::Engine;
use super::check::{CheckError, Stop};
use super::reading::Reading;
use crate::decision::{Call, Decision, DimensionTrace, Facts, GrantTrace, Trace};
use crate::matching::Canonical;
use crate::selector;
use crate::source::{Grant, WhenUnset};

impl Engine {
    pub(super) fn decide_and_explain(&self, call: &Call<'_>, facts: &Facts) -> Decision {
        let reading = self.read(call);
        let verdict = self.verdict(&reading, facts);
        let grants = self.grant_traces(&reading, facts);
        Decision {
            verdict,
            trace: Trace {
                grants,
                ..self.outline(call, &reading)
            },
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
        if !covers_tool {
            return GrantTrace {
                grant: grant.origin.clone(),
                covers_tool,
                dimensions: Vec::new(),
                permits: false,
                stopped_by: None,
            };
        }
        let mut fits = true;
        let mut dimensions = Vec::new();
        for (number, dimension) in reading.binding.dimensions.iter().enumerate() {
            let applies = reading.entry.fed.contains(&number) || reading.entry.ruled.contains(&number);
            let patterns = grant.scope.get(&dimension.name);
            let allowed_unset = dimension.when_unset == WhenUnset::Allow;
            match (patterns, applies) {
                (None, false) => {}
                (None, true) => {
                    fits &= allowed_unset;
                    let values = reading
                        .values_of(number)
                        .iter()
                        .map(Canonical::to_value)
                        .collect();
                    dimensions.push(trace(&dimension.name, values, None, &[]));
                }
                (Some(patterns), _) if reading.entry.ruled.contains(&number) => {
                    // Whether a rule holds is said by what stops the grant.
                    dimensions.push(trace(&dimension.name, Value::Null, None, patterns));
                }
                (Some(patterns), _) => {
                    let values = reading.values_of(number);
                    fits &= !values.is_empty();
                    if values.is_empty() {
                        dimensions.push(trace(&dimension.name, Value::Null, None, patterns));
                    }
                    for value in values {
                        let matched = reading.matched(number, place, value, patterns);
                        fits &= matched.is_some();
                        let failed = if matched.is_some() { &[][..] } else { patterns };
                        dimensions.push(trace(&dimension.name, value.to_value(), matched, failed));
                    }
                }
            }
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

impl Reading<'_> {
    /// The values that the call feeds to a dimension.
    fn values_of(&self, dimension: usize) -> &[Canonical] {
        let slot = self.entry.fed.iter().position(|fed| *fed == dimension);
        slot.and_then(|slot| self.values.get(slot))
            .map(Vec::as_slice)
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
