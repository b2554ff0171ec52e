//! How far into a value a part of a pattern can reach: every place at once, so that no pattern needs to be tried twice.

use smallvec::{SmallVec, smallvec};

/// A set of places between the elements of a value, from 0 to its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach(SmallVec<[bool; 64]>);

impl Reach {
    /// No place of a value of this length.
    pub(super) fn none(length: usize) -> Self {
        Self(smallvec![false; length.saturating_add(1)])
    }

    pub(super) fn add(&mut self, place: usize) {
        if let Some(reached) = self.0.get_mut(place) {
            *reached = true;
        }
    }

    pub(super) fn remove_unless(&mut self, mut keep: impl FnMut(usize) -> bool) {
        for (place, reached) in self.0.iter_mut().enumerate() {
            *reached = *reached && keep(place);
        }
    }

    pub(super) fn holds(&self, place: usize) -> bool {
        self.0.get(place).copied().unwrap_or_default()
    }

    pub(super) fn is_none(&self) -> bool {
        !self.0.contains(&true)
    }

    /// In ascending order.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.0
            .iter()
            .enumerate()
            .filter(|(_, reached)| **reached)
            .map(|(place, _)| place)
    }

    /// Adds the places one element further, where that element can be stepped over, again and again.
    pub(super) fn spread(&mut self, mut can_step: impl FnMut(usize) -> bool) {
        let mut before = false;
        for (place, reached) in self.0.iter_mut().enumerate() {
            *reached = *reached || (before && place.checked_sub(1).is_some_and(&mut can_step));
            before = *reached;
        }
    }

    /// The places one element further, where that element can be stepped over.
    pub(super) fn stepped(&self, mut can_step: impl FnMut(usize) -> bool) -> Self {
        let mut next = Self(smallvec![false; self.0.len()]);
        for place in self.places().filter(|place| can_step(*place)) {
            next.add(place.saturating_add(1));
        }
        next
    }
}
