//! A bound on the work of comparisons.

use super::TooComplex;

/// What is said of a comparison that was given up.
pub(crate) const TOO_COMPLEX: TooComplex =
    TooComplex("the patterns are too complex to be compared; use fewer or simpler ones");

/// How much work is left.
#[derive(Debug)]
pub(crate) struct Effort {
    left: usize,
}

impl Effort {
    /// So many steps.
    pub(crate) fn of(steps: usize) -> Self {
        Self { left: steps }
    }

    /// At most so many of the steps that are left, as an effort of its own; see [`Effort::give_back`].
    pub(crate) fn part(&mut self, steps: usize) -> Self {
        let taken = steps.min(self.left);
        self.left = self.left.saturating_sub(taken);
        Self { left: taken }
    }

    /// What a part did not use.
    pub(crate) fn give_back(&mut self, part: &Self) {
        self.left = self.left.saturating_add(part.left);
    }

    /// Whether nothing is left.
    pub(crate) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// How many steps are left.
    #[cfg(test)]
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Takes steps away; there must be enough.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), TooComplex> {
        let left = self.left.checked_sub(steps.saturating_add(1));
        // Whoever comes with less is not let in either, so that the end is reached at once and not in ever smaller steps.
        self.left = left.unwrap_or(0);
        left.map(drop).ok_or(TOO_COMPLEX)
    }
}
