//! A set of a binding's grants, by their place in it.

use smallvec::{SmallVec, smallvec};

/// Fixed in size; one bit for each grant. Most bindings' grants fit without memory of their own.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GrantSet {
    words: SmallVec<[u64; 2]>,
}

const BITS: usize = 64;

impl GrantSet {
    /// None of so many grants.
    pub(super) fn none(grants: usize) -> Self {
        Self {
            words: smallvec![0; grants.div_ceil(BITS)],
        }
    }

    pub(super) fn insert(&mut self, grant: usize) {
        if let Some(word) = self.words.get_mut(grant / BITS) {
            *word |= 1 << (grant % BITS);
        }
    }

    /// Keeps those of which the answer is yes.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        for (place, word) in self.words.iter_mut().enumerate() {
            for grant in grants_of(place, *word) {
                if !keep(grant) {
                    *word &= !(1 << (grant % BITS));
                }
            }
        }
    }

    pub(super) fn contains(&self, grant: usize) -> bool {
        self.words
            .get(grant / BITS)
            .is_some_and(|word| word & (1 << (grant % BITS)) != 0)
    }

    pub(super) fn intersect(&mut self, other: &Self) {
        for (place, word) in self.words.iter_mut().enumerate() {
            *word &= other.words.get(place).copied().unwrap_or_default();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(super) fn len(&self) -> u32 {
        self.words
            .iter()
            .fold(0, |total, word| total.saturating_add(word.count_ones()))
    }

    /// In ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let words = self.words.iter().enumerate();
        words.flat_map(|(place, word)| grants_of(place, *word))
    }
}

/// The grants of one word, in ascending order.
fn grants_of(place: usize, word: u64) -> impl Iterator<Item = usize> {
    let first = place.saturating_mul(BITS);
    let mut rest = word;
    std::iter::from_fn(move || {
        let bit = rest.trailing_zeros() as usize;
        // Clears the lowest bit that is set.
        rest = rest.checked_sub(1).map(|less| rest & less)?;
        Some(first.saturating_add(bit))
    })
}

/// As bytes, not one word after the other.
impl Clone for GrantSet {
    fn clone(&self) -> Self {
        Self {
            words: SmallVec::from_slice(&self.words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let mut set = GrantSet::none(130);
        for grant in [0, 63, 64, 129] {
            set.insert(grant);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        assert_eq!(set.len(), 4);
        set.retain(|grant| grant != 63);
        let mut other = GrantSet::none(130);
        other.insert(129);
        other.insert(63);
        set.intersect(&other);
        assert_eq!(set.iter().collect::<Vec<_>>(), [129]);
        assert!(set.contains(129) && !set.contains(0) && !set.contains(10_000));
        set.retain(|grant| grant != 129);
        assert!(set.is_empty());
    }
}
