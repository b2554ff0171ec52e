//! Which of many patterns can match a value, without trying them all.

use std::collections::HashMap;

use crate::matching::Anchor;

/// Patterns by the literal part that every matching value has.
#[derive(Debug, Default)]
pub(super) struct Index {
    whole: HashMap<String, Vec<usize>>,
    prefixes: Affixes,
    suffixes: Affixes,
    rest: Vec<usize>,
}

/// By length, then by text: one look-up for each length that occurs.
type Affixes = Vec<(usize, HashMap<String, Vec<usize>>)>;

impl Index {
    pub(super) fn new(anchors: impl IntoIterator<Item = Anchor>) -> Self {
        let mut index = Self::default();
        for (pattern, anchor) in anchors.into_iter().enumerate() {
            match anchor {
                Anchor::Whole(text) => index.whole.entry(text).or_default().push(pattern),
                Anchor::Prefix(text) => add(&mut index.prefixes, text, pattern),
                Anchor::Suffix(text) => add(&mut index.suffixes, text, pattern),
                Anchor::Anywhere => index.rest.push(pattern),
            }
        }
        index
    }

    /// How many patterns are tried for every value.
    pub(super) fn unanchored(&self) -> usize {
        self.rest.len()
    }

    /// Calls back with every pattern that could match a value of this key; each at most once.
    pub(super) fn candidates(&self, key: &str, mut visit: impl FnMut(usize)) {
        self.whole
            .get(key)
            .into_iter()
            .flatten()
            .copied()
            .for_each(&mut visit);
        for (length, patterns) in &self.prefixes {
            let found = key.get(..*length).and_then(|prefix| patterns.get(prefix));
            found.into_iter().flatten().copied().for_each(&mut visit);
        }
        for (length, patterns) in &self.suffixes {
            let from = key.len().checked_sub(*length);
            let found = from
                .and_then(|from| key.get(from..))
                .and_then(|suffix| patterns.get(suffix));
            found.into_iter().flatten().copied().for_each(&mut visit);
        }
        self.rest.iter().copied().for_each(&mut visit);
    }
}

fn add(affixes: &mut Affixes, text: String, pattern: usize) {
    let place = affixes
        .iter()
        .position(|(length, _)| *length == text.len())
        .unwrap_or_else(|| {
            affixes.push((text.len(), HashMap::new()));
            affixes.len().saturating_sub(1)
        });
    if let Some((_, patterns)) = affixes.get_mut(place) {
        patterns.entry(text).or_default().push(pattern);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_candidate_once() {
        let index = Index::new([
            Anchor::Whole("abc".to_owned()),
            Anchor::Prefix("ab".to_owned()),
            Anchor::Prefix("é".to_owned()),
            Anchor::Suffix("bc".to_owned()),
            Anchor::Anywhere,
            Anchor::Suffix("x".to_owned()),
        ]);
        let found = |key: &str| {
            let mut found = Vec::new();
            index.candidates(key, |pattern| found.push(pattern));
            found
        };
        assert_eq!(found("abc"), [0, 1, 3, 4]);
        assert_eq!(found("éx"), [2, 5, 4]);
        assert_eq!(found(""), [4]);
        assert_eq!(found("aé"), [4]);
    }
}
