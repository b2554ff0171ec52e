//! The smallest text of one language that is not in another.
//!
//! Breadth first over sets of states, symbols in order: the first text that is found is the shortest one, and of those the first.

use std::collections::HashSet;

use super::TooComplex;
use super::alphabet::{self, Symbol};
use super::automaton::{Automaton, StateId};
use super::effort::Effort;
use super::subset::{SetId, Subsets};

/// How many texts are tried that turn out to be no values.
const MAX_TRIES: usize = 32;

/// Three languages, as regular expressions that describe whole texts; each list is a union.
#[derive(Debug, Default)]
pub(super) struct Problem {
    /// Which texts are values. It may take in more than there are.
    pub(super) values: String,
    /// Texts among those that are no values.
    pub(super) unreal: Vec<String>,
    pub(super) granted: Vec<String>,
    pub(super) ceiling: Vec<String>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Every value of `granted` is in `ceiling`.
    Nothing,
    /// The smallest one that is not.
    Text(String),
    /// There are texts that are not, and none of those that were tried is a value.
    NoValue,
}

/// One place of the search: what the text up to it leads to in the three languages.
type Place = (SetId, SetId, SetId);

/// A place with the place before it and the symbol that led here.
#[derive(Debug, Clone, Copy)]
struct Visit {
    place: Place,
    before: Option<(usize, usize)>,
}

/// Looks for a text that is granted and not in the ceiling; `confirm` says whether it really is one.
pub(super) fn smallest(
    problem: &Problem,
    effort: &mut Effort,
    confirm: impl FnMut(&str) -> bool,
) -> Result<Found, TooComplex> {
    if problem.granted.is_empty() {
        return Ok(Found::Nothing);
    }
    let mut automaton = Automaton::new();
    let values = automaton.add(&problem.values)?;
    let mut all = |list: &[String]| -> Result<Vec<StateId>, TooComplex> {
        list.iter().map(|regex| automaton.add(regex)).collect()
    };
    let granted = all(&problem.granted)?;
    let mut ceiling = all(&problem.ceiling)?;
    ceiling.extend(all(&problem.unreal)?);
    let symbols = alphabet::symbols(&automaton.classes, effort)?;
    let search = Search {
        values: Subsets::new(&automaton, &[values], effort)?,
        granted: Subsets::new(&automaton, &granted, effort)?,
        ceiling: Subsets::new(&automaton, &ceiling, effort)?,
        symbols: &symbols,
        visits: Vec::new(),
        seen: HashSet::new(),
    };
    search.run(effort, confirm)
}

struct Search<'a> {
    values: Subsets<'a>,
    granted: Subsets<'a>,
    ceiling: Subsets<'a>,
    symbols: &'a [Symbol],
    /// In the order in which they were met.
    visits: Vec<Visit>,
    seen: HashSet<Place>,
}

impl Search<'_> {
    fn run(
        mut self,
        effort: &mut Effort,
        mut confirm: impl FnMut(&str) -> bool,
    ) -> Result<Found, TooComplex> {
        self.meet((0, 0, 0), None);
        let mut tried = 0_usize;
        let mut next = 0_usize;
        while let Some(visit) = self.visits.get(next).copied() {
            if self.exceeds(visit.place) {
                let text = self.text(visit);
                if confirm(&text) {
                    return Ok(Found::Text(text));
                }
                tried = tried.saturating_add(1);
                if tried >= MAX_TRIES {
                    return Ok(Found::NoValue);
                }
            }
            self.expand(next, visit.place, effort)?;
            next = next.saturating_add(1);
        }
        Ok(if tried == 0 {
            Found::Nothing
        } else {
            Found::NoValue
        })
    }

    fn exceeds(&self, (value, granted, ceiling): Place) -> bool {
        self.values.accepts(value) && self.granted.accepts(granted) && !self.ceiling.accepts(ceiling)
    }

    fn expand(
        &mut self,
        from: usize,
        (value, granted, ceiling): Place,
        effort: &mut Effort,
    ) -> Result<(), TooComplex> {
        for symbol in self.symbols.iter().enumerate() {
            // Where the granted patterns are literal, this ends all symbols but one.
            let granted = self.granted.step(granted, symbol, effort)?;
            if self.granted.is_dead(granted) {
                continue;
            }
            let value = self.values.step(value, symbol, effort)?;
            if self.values.is_dead(value) {
                continue;
            }
            let ceiling = self.ceiling.step(ceiling, symbol, effort)?;
            self.meet((value, granted, ceiling), Some((from, symbol.0)));
        }
        Ok(())
    }

    fn meet(&mut self, place: Place, before: Option<(usize, usize)>) {
        if self.seen.insert(place) {
            self.visits.push(Visit { place, before });
        }
    }

    /// The text that led to a visit.
    fn text(&self, visit: Visit) -> String {
        let mut reversed = Vec::new();
        let mut here = Some(visit);
        while let Some((before, symbol)) = here.and_then(|visit| visit.before) {
            reversed.extend(self.symbols.get(symbol).map(|symbol| symbol.example));
            here = self.visits.get(before).copied();
        }
        reversed.into_iter().rev().collect()
    }
}
