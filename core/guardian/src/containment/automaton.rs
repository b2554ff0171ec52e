//! Regular expressions as automata over characters.
//!
//! Everything that is compared is a regular language: patterns, and the canonical values of a kind. All of them live in one
//! [`Automaton`], so that they share their character classes.

use std::collections::HashMap;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use super::TooComplex;

/// The most states of one comparison.
const MAX_STATES: usize = 60_000;
/// Patterns nest at most 32 deep, see [`crate::matching`]; a few more are put around them.
const MAX_NESTING: u32 = 48;

/// The place of a state.
pub(super) type StateId = u32;
/// The place of a character class.
pub(super) type ClassId = u32;
/// Characters, as ranges of scalar values with both ends.
pub(super) type Ranges = Vec<(u32, u32)>;

/// One state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Goes on after a character of the class.
    Step(ClassId, StateId),
    /// Goes on in any of these, without a character.
    Fork(Vec<StateId>),
    /// Goes on at the beginning of the text only.
    AtStart(StateId),
    /// Goes on at the end of the text only.
    AtEnd(StateId),
    /// The text is described.
    Accept,
}

/// Several languages over one set of character classes.
#[derive(Debug)]
pub(super) struct Automaton {
    pub(super) states: Vec<State>,
    /// Each once.
    pub(super) classes: Vec<Ranges>,
    known: HashMap<Ranges, ClassId>,
}

impl Automaton {
    /// With nothing in it but the accepting state.
    pub(super) fn new() -> Self {
        Self {
            states: vec![State::Accept],
            classes: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// Adds the language of a regular expression that describes whole texts; answers where it begins.
    pub(super) fn add(&mut self, regex: &str) -> Result<StateId, TooComplex> {
        let parsed = ParserBuilder::new().nest_limit(MAX_NESTING).build().parse(regex);
        let hir = parsed.map_err(|_| TooComplex("an expression nests too deeply to be compared"))?;
        self.before(&hir, 0)
    }

    /// The state from which the expression leads to `next`.
    fn before(&mut self, hir: &Hir, next: StateId) -> Result<StateId, TooComplex> {
        match hir.kind() {
            HirKind::Empty => Ok(next),
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).map_err(|_| BYTES)?;
                let mut chars = text.chars().rev().map(u32::from);
                chars.try_fold(next, |next, c| self.step(vec![(c, c)], next))
            }
            HirKind::Class(class) => self.step(ranges(class)?, next),
            HirKind::Look(Look::Start) => self.push(State::AtStart(next)),
            HirKind::Look(Look::End) => self.push(State::AtEnd(next)),
            HirKind::Look(_) => Err(TooComplex(
                "an expression with a line or word boundary inside cannot be compared; write it without",
            )),
            HirKind::Repetition(repetition) => self.repeated(repetition, next),
            HirKind::Capture(capture) => self.before(&capture.sub, next),
            HirKind::Concat(parts) => parts
                .iter()
                .rev()
                .try_fold(next, |next, part| self.before(part, next)),
            HirKind::Alternation(parts) => {
                let forks: Result<Vec<_>, _> = parts.iter().map(|part| self.before(part, next)).collect();
                self.push(State::Fork(forks?))
            }
        }
    }

    fn repeated(&mut self, repetition: &Repetition, next: StateId) -> Result<StateId, TooComplex> {
        let mut entry = next;
        match repetition.max {
            None => {
                let again = self.push(State::Fork(Vec::new()))?;
                let body = self.before(&repetition.sub, again)?;
                if let Some(state) = self.states.get_mut(again as usize) {
                    *state = State::Fork(vec![body, next]);
                }
                entry = again;
            }
            Some(max) => {
                for _ in repetition.min..max {
                    let body = self.before(&repetition.sub, entry)?;
                    entry = self.push(State::Fork(vec![body, next]))?;
                }
            }
        }
        for _ in 0..repetition.min {
            entry = self.before(&repetition.sub, entry)?;
        }
        Ok(entry)
    }

    fn step(&mut self, ranges: Ranges, next: StateId) -> Result<StateId, TooComplex> {
        let new = ClassId::try_from(self.classes.len()).map_err(|_| SIZE)?;
        let class = *self.known.entry(ranges).or_insert_with_key(|ranges| {
            self.classes.push(ranges.clone());
            new
        });
        self.push(State::Step(class, next))
    }

    fn push(&mut self, state: State) -> Result<StateId, TooComplex> {
        if self.states.len() >= MAX_STATES {
            return Err(SIZE);
        }
        let place = StateId::try_from(self.states.len()).map_err(|_| SIZE)?;
        self.states.push(state);
        Ok(place)
    }
}

const SIZE: TooComplex =
    TooComplex("the patterns are too large to be compared; make lists and repetitions smaller");
const BYTES: TooComplex = TooComplex("an expression over bytes cannot be compared; write it over characters");

fn ranges(class: &Class) -> Result<Ranges, TooComplex> {
    match class {
        Class::Unicode(class) => Ok(class
            .ranges()
            .iter()
            .map(|range| (range.start().into(), range.end().into()))
            .collect()),
        Class::Bytes(class) => class
            .ranges()
            .iter()
            .map(|range| {
                let ascii = range.end().is_ascii();
                ascii
                    .then_some((range.start().into(), range.end().into()))
                    .ok_or(BYTES)
            })
            .collect(),
    }
}
