//! Whether everything that some patterns permit is permitted by others, exactly.
//!
//! Patterns and canonical values are regular languages, so the question is one of inclusion: a search over automata
//! finds the smallest value that the granted patterns match and the ceiling does not, or that there is none. Several patterns
//! of the ceiling may contain one granted pattern together.
//!
//! | kind | compared as |
//! | --- | --- |
//! | `Exact`, `Enum` | sets of literals |
//! | `Range` | unions of closed intervals |
//! | `Glob`, `Path`, `Regex` | languages over characters |
//! | `Host` | names by character, addresses by bit; local names and special addresses apart, as patterns must name them |
//! | `Url` | scheme, host, port and path as one text; the query is open in every pattern |
//! | `Command` | argv, each word ended by a NUL |
//! | `Cel` | equal expressions only |
//!
//! **Why an answer can be trusted.** The language of values that is searched takes in every value that a call can have, so
//! `Contained` leaves none out. `Exceeds` is said only after the real matchers agreed on its example. Where they don't, and where the
//! work goes beyond its bound, the answer is `Undecided`, which whoever asks must take for a no.

mod alphabet;
mod automaton;
mod boundary;
mod dead;
mod effort;
mod host;
mod interval;
mod literal;
mod problem;
mod search;
mod subset;

use serde::Serialize;
use serde_json::Value;

use crate::matching::{Canonical, Pattern};
use crate::source::Match;
pub(crate) use dead::dead;
pub(crate) use effort::Effort;

pub use boundary::{Ceiling, Excess, Outside, beyond, exceeding, validate_boundary};
pub(crate) use boundary::{bounded, closed, excess};

/// The most work of one comparison. A step is some nanoseconds.
pub(crate) const MAX_EFFORT: usize = 4_000_000;

/// Why a comparison was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooComplex(pub(crate) &'static str);

/// Whether every value that the granted patterns match is matched by the ceiling.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Containment {
    /// Every one.
    Contained,
    /// Not this one, which is the smallest: shortest first, then letters before digits before the rest. Written as a call would.
    Exceeds {
        /// A value that the granted patterns match and the ceiling does not.
        example: Value,
    },
    /// It is not known, which is to be taken for a no.
    Undecided {
        /// Why, and what to do about it.
        why: String,
    },
}

/// Whether the patterns of `ceiling`, taken together, match everything that the patterns of `granted` match.
pub fn contains(matching: &Match, ceiling: &[Value], granted: &[Value]) -> Containment {
    within(matching, ceiling, granted, &mut Effort::of(MAX_EFFORT))
}

/// [`contains`] with a bound on the work.
pub(crate) fn within(
    matching: &Match,
    ceiling: &[Value],
    granted: &[Value],
    effort: &mut Effort,
) -> Containment {
    let new: Vec<&Value> = granted
        .iter()
        .filter(|pattern| !ceiling.contains(pattern))
        .collect();
    if new.is_empty() {
        return Containment::Contained;
    }
    if matches!(matching, Match::Cel {}) {
        return undecided("a CEL expression can only be compared with an equal one; write both alike");
    }
    let compiled = |patterns: &[&Value]| -> Result<Vec<Pattern>, String> {
        patterns
            .iter()
            .map(|pattern| Pattern::compile(matching, pattern))
            .collect()
    };
    let ceiling: Vec<&Value> = ceiling.iter().collect();
    let (ceiling, granted) = match (compiled(&ceiling), compiled(&new)) {
        (Ok(ceiling), Ok(granted)) => (ceiling, granted),
        (Err(why), _) => return undecided(format!("a pattern of the ceiling cannot be used: {why}")),
        (_, Err(why)) => return undecided(format!("the pattern cannot be used: {why}")),
    };
    let pair = Pair {
        matching,
        ceiling,
        granted,
    };
    match pair.smallest(effort) {
        Ok(Answer::Nothing) => Containment::Contained,
        Ok(Answer::Value(example)) => Containment::Exceeds { example },
        Ok(Answer::Unconfirmed) => undecided("the patterns could not be told apart; write them alike"),
        Err(TooComplex(why)) => undecided(why),
    }
}

fn undecided(why: impl Into<String>) -> Containment {
    Containment::Undecided { why: why.into() }
}

/// Two lists of compiled patterns of one kind.
pub(crate) struct Pair<'a> {
    matching: &'a Match,
    ceiling: Vec<Pattern>,
    granted: Vec<Pattern>,
}

impl Pair<'_> {
    fn smallest(&self, effort: &mut Effort) -> Result<Answer, TooComplex> {
        match self.matching {
            Match::Exact {} | Match::Enum { .. } => Ok(literal::smallest(self)),
            Match::Range { unit } => Ok(interval::smallest(self, *unit)),
            Match::Glob { .. }
            | Match::Path {}
            | Match::Host {}
            | Match::Url {}
            | Match::Command {}
            | Match::Regex {} => problem::smallest(self, effort),
            Match::Cel {} => Ok(Answer::Unconfirmed),
        }
    }

    /// Whether the real matchers say that the value is granted and not in the ceiling.
    fn tells_apart(&self, value: &Value) -> bool {
        Canonical::read(self.matching, value).is_ok_and(|value| {
            self.granted.iter().any(|pattern| pattern.matches(&value))
                && !self.ceiling.iter().any(|pattern| pattern.matches(&value))
        })
    }
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq)]
enum Answer {
    /// No value that is granted and not in the ceiling.
    Nothing,
    /// The smallest one.
    Value(Value),
    /// Something that the real matchers do not agree to.
    Unconfirmed,
}

impl Answer {
    /// The smallest of some values that were all confirmed.
    fn least(values: impl IntoIterator<Item = Value>) -> Self {
        let size = |value: &Value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (text.chars().count(), text)
        };
        let least = values.into_iter().min_by_key(size);
        least.map_or(Self::Nothing, Self::Value)
    }
}

#[cfg(test)]
mod tests;
