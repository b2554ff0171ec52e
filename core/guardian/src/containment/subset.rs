//! Sets of states that a text can lead to, each known by a number.

use std::collections::{HashMap, HashSet};

use super::TooComplex;
use super::alphabet::Symbol;
use super::automaton::{Automaton, State, StateId};
use super::effort::Effort;

/// The number of a set.
pub(super) type SetId = u32;

/// What a text can lead to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Reached {
    /// The states that wait for a character, in order.
    waiting: Vec<StateId>,
    /// Whether the text may end here.
    accepts: bool,
}

/// The sets of one language that were met so far, and where symbols lead from them.
#[derive(Debug)]
pub(super) struct Subsets<'a> {
    automaton: &'a Automaton,
    sets: Vec<Reached>,
    known: HashMap<Reached, SetId>,
    steps: HashMap<(SetId, usize), SetId>,
}

impl<'a> Subsets<'a> {
    /// The sets of the union of the languages that begin in `starts`; the first set is number 0.
    pub(super) fn new(
        automaton: &'a Automaton,
        starts: &[StateId],
        effort: &mut Effort,
    ) -> Result<Self, TooComplex> {
        let mut subsets = Self {
            automaton,
            sets: Vec::new(),
            known: HashMap::new(),
            steps: HashMap::new(),
        };
        let first = subsets.reached(starts.to_vec(), true, effort)?;
        subsets.intern(first);
        Ok(subsets)
    }

    pub(super) fn accepts(&self, set: SetId) -> bool {
        self.sets.get(set as usize).is_some_and(|set| set.accepts)
    }

    /// Whether no further text can ever be accepted.
    pub(super) fn is_dead(&self, set: SetId) -> bool {
        self.sets
            .get(set as usize)
            .is_none_or(|set| set.waiting.is_empty() && !set.accepts)
    }

    /// Where a symbol leads.
    pub(super) fn step(
        &mut self,
        set: SetId,
        (place, symbol): (usize, &Symbol),
        effort: &mut Effort,
    ) -> Result<SetId, TooComplex> {
        if let Some(known) = self.steps.get(&(set, place)) {
            effort.spend(0)?;
            return Ok(*known);
        }
        let waiting = self.sets.get(set as usize).map(|set| set.waiting.as_slice());
        let waiting = waiting.unwrap_or_default();
        effort.spend(waiting.len())?;
        let next = waiting
            .iter()
            .filter_map(|state| match self.automaton.states.get(*state as usize) {
                Some(State::Step(class, next)) if holds(symbol, *class) => Some(*next),
                _ => None,
            });
        let next: Vec<_> = next.collect();
        let reached = self.reached(next, false, effort)?;
        let next = self.intern(reached);
        self.steps.insert((set, place), next);
        Ok(next)
    }

    /// Everything that can be reached from `seeds` without a character.
    fn reached(
        &self,
        seeds: Vec<StateId>,
        at_start: bool,
        effort: &mut Effort,
    ) -> Result<Reached, TooComplex> {
        let mut waiting = Vec::new();
        let mut accepts = false;
        let mut ends = false;
        self.follow(
            seeds.clone(),
            (at_start, false),
            effort,
            |id, state| match state {
                State::Step(..) => waiting.push(id),
                State::AtEnd(_) => ends = true,
                State::Accept => accepts = true,
                State::Fork(_) | State::AtStart(_) => {}
            },
        )?;
        if ends && !accepts {
            self.follow(seeds, (at_start, true), effort, |_, state| {
                accepts |= *state == State::Accept;
            })?;
        }
        waiting.sort_unstable();
        Ok(Reached { waiting, accepts })
    }

    /// Visits each state once that is reached through forks and, where it may, through the start and the end of the text.
    fn follow(
        &self,
        seeds: Vec<StateId>,
        (at_start, at_end): (bool, bool),
        effort: &mut Effort,
        mut visit: impl FnMut(StateId, &State),
    ) -> Result<(), TooComplex> {
        let mut seen = HashSet::new();
        let mut open = seeds;
        while let Some(id) = open.pop() {
            let Some(state) = self.automaton.states.get(id as usize).filter(|_| seen.insert(id)) else {
                continue;
            };
            effort.spend(0)?;
            match state {
                State::Fork(next) => open.extend(next),
                State::AtStart(next) if at_start => open.push(*next),
                State::AtEnd(next) if at_end => open.push(*next),
                _ => visit(id, state),
            }
        }
        Ok(())
    }

    fn intern(&mut self, reached: Reached) -> SetId {
        if let Some(known) = self.known.get(&reached) {
            return *known;
        }
        // Each set cost at least one step of effort, so that there are never more than fit.
        let id = SetId::try_from(self.sets.len()).unwrap_or(SetId::MAX);
        self.sets.push(reached.clone());
        self.known.insert(reached, id);
        id
    }
}

fn holds(symbol: &Symbol, class: u32) -> bool {
    symbol.classes.get(class as usize).copied().unwrap_or_default()
}
