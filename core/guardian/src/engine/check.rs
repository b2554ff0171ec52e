//! *permit(bot, call)*: one grant that alone permits the call, or denial.

use std::borrow::Cow;
use std::sync::Arc;

use super::Engine;
use super::grant_set::GrantSet;
use super::reading::Reading;
use crate::decision::{Call, CanonicalValues, Decision, Denial, Facts, Permit, Reason, Trace, Verdict};
use crate::matching::Moment;
use crate::selector;
use crate::source::{Grant, Validity};

const OUT_OF_SCOPE: &str = "no grant covers the call";

/// Why a call is not permitted. Each becomes a denial in [`deny`].
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckError {
    #[error("the bot has no policy")]
    NoPolicy,
    #[error("the bot has no such tool")]
    UnknownTool,
    #[error("the arguments are not one strict JSON object: {0}")]
    Malformed(String),
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    NotCanonical(String),
    #[error("{}", OUT_OF_SCOPE)]
    OutOfScope,
    #[error("the grants that cover the call are not valid now")]
    NotValidNow,
    #[error("{0}")]
    QuotaExceeded(String),
    #[error("{0}")]
    NotDelegated(String),
    #[error("the loaded policy does not agree with itself")]
    Internal,
}

/// What besides its dimensions keeps a grant from permitting a call.
#[derive(Debug)]
pub(super) enum Stop {
    Rule(String),
    NotValidNow,
    Quota(String),
}

impl From<Stop> for CheckError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Quota(message) => Self::QuotaExceeded(message),
            Stop::NotValidNow => Self::NotValidNow,
            Stop::Rule(_) => Self::OutOfScope,
        }
    }
}

/// **Architecture invariant:** the only place in the system where an error becomes a decision, and the decision is always to deny.
pub(super) fn deny(error: &CheckError) -> Verdict {
    let reason = match error {
        CheckError::NoPolicy => Reason::NoPolicy,
        CheckError::UnknownTool => Reason::UnknownTool,
        CheckError::Malformed(_) => Reason::MalformedArguments,
        CheckError::Invalid(_) => Reason::InvalidArguments,
        CheckError::NotCanonical(_) => Reason::NotCanonical,
        CheckError::OutOfScope => Reason::OutOfScope,
        CheckError::NotValidNow => Reason::NotValidNow,
        CheckError::QuotaExceeded(_) => Reason::QuotaExceeded,
        CheckError::NotDelegated(_) => Reason::NotDelegated,
        CheckError::Internal => Reason::Internal,
    };
    let message = match error {
        // What most denials say.
        CheckError::OutOfScope => Cow::Borrowed(OUT_OF_SCOPE),
        _ => Cow::Owned(error.to_string()),
    };
    Verdict::Deny(Denial { reason, message })
}

impl Engine {
    pub(super) fn decide(&self, call: &Call<'_>, facts: &Facts) -> Decision {
        let reading = self.read(call);
        let trace = self.outline(call, &reading);
        Decision {
            verdict: self.verdict(reading, facts),
            trace,
        }
    }

    /// The verdict on a call that was read, or that could not be.
    pub(super) fn verdict(&self, reading: Result<Reading<'_>, CheckError>, facts: &Facts) -> Verdict {
        let permitted = match reading {
            Ok(reading) => self.permit(reading, facts),
            Err(error) => return deny(&error),
        };
        permitted.unwrap_or_else(|error| deny(&error))
    }

    /// A trace without grants.
    pub(super) fn outline(&self, call: &Call<'_>, reading: &Result<Reading<'_>, CheckError>) -> Trace {
        Trace {
            bot: Some(Arc::clone(&self.bot)),
            binding: match reading {
                Ok(reading) => Some(reading.loaded.name.clone()),
                Err(_) => self
                    .entry(call.tool)
                    .ok()
                    .map(|(_, loaded, _, _)| loaded.name.clone()),
            },
            fault: reading.as_ref().err().map(ToString::to_string),
            ..Trace::default()
        }
    }

    /// One grant that alone permits what was read, and room in every budget.
    pub(super) fn permit(&self, reading: Reading<'_>, facts: &Facts) -> Result<Verdict, CheckError> {
        let verdict = self.permit_by_grant(reading, facts)?;
        match self.exceeded_budget(facts) {
            Some(message) => Err(CheckError::QuotaExceeded(message)),
            None => Ok(verdict),
        }
    }

    fn permit_by_grant(&self, reading: Reading<'_>, facts: &Facts) -> Result<Verdict, CheckError> {
        let grants = &reading.binding.grants;
        let mut stopped = None;
        let mut asking = None;
        for place in reading.in_scope().iter() {
            let grant = grants.get(place).ok_or(CheckError::Internal)?;
            match self.stop(&reading, place, grant, facts) {
                Some(stop) => stopped = Some(weightier(stopped, stop.into())),
                None if selector::asks(&grant.approval, reading.tool) => {
                    asking = asking.or(Some((place, grant)));
                }
                None => return self.permit_of(reading, (place, grant), facts).map(Verdict::Allow),
            }
        }
        if let Some(grant) = asking {
            return self.permit_of(reading, grant, facts).map(Verdict::NeedsApproval);
        }
        Err(stopped.unwrap_or(CheckError::OutOfScope))
    }

    /// What besides its dimensions keeps the grant from permitting the call.
    pub(super) fn stop(
        &self,
        reading: &Reading<'_>,
        place: usize,
        grant: &Grant,
        facts: &Facts,
    ) -> Option<Stop> {
        self.broken_rule(reading, place, facts)
            .map(Stop::Rule)
            .or_else(|| {
                grant
                    .validity
                    .as_ref()
                    .filter(|validity| !holds(validity, facts))
                    .map(|_| Stop::NotValidNow)
            })
            .or_else(|| self.exceeded_quota(reading, grant, facts).map(Stop::Quota))
    }

    fn permit_of(
        &self,
        reading: Reading<'_>,
        (place, grant): (usize, &Grant),
        facts: &Facts,
    ) -> Result<Box<Permit>, CheckError> {
        let reserve = self.reservations(&reading, grant, facts);
        let origin = reading.loaded.origins.get(place).ok_or(CheckError::Internal)?;
        Ok(Box::new(Permit {
            binding: reading.loaded.name.clone(),
            tool: reading.entry.name.clone(),
            operation: reading.entry.operation.clone(),
            risk: reading.tool.risk,
            grant: origin.clone(),
            canonical: CanonicalValues::new(&reading.entry.names, reading.values),
            arguments: reading.arguments,
            reserve,
        }))
    }

    /// What rules over the whole call look at.
    pub(super) fn moment<'a>(&'a self, reading: &'a Reading<'_>, facts: &Facts) -> Moment<'a> {
        Moment {
            bot: &self.document.bot,
            tool: reading.tool,
            arguments: &reading.arguments,
            now: facts.now,
        }
    }

    /// A `Cel` dimension of which no rule holds. An error does not hold.
    fn broken_rule(&self, reading: &Reading<'_>, place: usize, facts: &Facts) -> Option<String> {
        let moment = self.moment(reading, facts);
        for (name, dimension) in reading.rules() {
            if dimension.unset.contains(place) {
                continue;
            }
            let mut failure = format!("no rule of {name} holds");
            let holds = dimension
                .rules_of(place)
                .iter()
                .any(|rule| match rule.holds(&moment) {
                    Ok(answer) => answer,
                    Err(error) => {
                        failure = format!("a rule of {name} fails: {error}");
                        false
                    }
                });
            if !holds {
                return Some(failure);
            }
        }
        None
    }
}

impl Reading<'_> {
    /// The grants that cover the tool and admit every value of every dimension.
    pub(super) fn in_scope(&self) -> GrantSet {
        let mut alive = self.entry.covering.clone();
        for slot in &self.entry.trial_order {
            let place = self.entry.fed.get(*slot);
            let dimension = place.and_then(|place| self.loaded.dimensions.get(*place));
            match (dimension, self.values.get(*slot)) {
                (Some(dimension), Some(values)) => dimension.narrow(values, &mut alive),
                _ => return GrantSet::default(),
            }
            if alive.is_empty() {
                break;
            }
        }
        alive
    }

    /// The `Cel` dimensions with their names.
    fn rules(&self) -> impl Iterator<Item = (&str, &super::binding::LoadedDimension)> {
        self.entry.ruled.iter().filter_map(|place| {
            let name = &self.binding.dimensions.get(*place)?.name;
            Some((name.as_str(), self.loaded.dimensions.get(*place)?))
        })
    }
}

/// The refusal that says most: a quota, then validity, then anything else.
pub(super) fn weightier(known: Option<CheckError>, next: CheckError) -> CheckError {
    let weight = |error: &CheckError| match error {
        CheckError::QuotaExceeded(_) => 2,
        CheckError::NotValidNow => 1,
        _ => 0,
    };
    match known {
        Some(known) if weight(&known) >= weight(&next) => known,
        Some(_) | None => next,
    }
}

/// Half-open: from `not_before` until just before `not_after`.
fn holds(validity: &Validity, facts: &Facts) -> bool {
    validity.not_before.is_none_or(|start| start <= facts.now)
        && validity.not_after.is_none_or(|end| facts.now < end)
}
