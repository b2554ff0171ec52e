//! The characters that make a difference: those that are in the same classes are one symbol.

use std::collections::{BTreeMap, BTreeSet};

use super::TooComplex;
use super::automaton::{ClassId, Ranges};
use super::effort::Effort;

/// What no character stands for: between the surrogates there is none.
const SURROGATES: (u32, u32) = (0xd800, 0xdfff);

/// Where to look first for the character that stands for a symbol, so that examples can be read.
const TIERS: [(u32, u32); 7] = [
    ('a' as u32, 'z' as u32),
    ('0' as u32, '9' as u32),
    ('A' as u32, 'Z' as u32),
    ('!' as u32, '~' as u32),
    (' ' as u32, ' ' as u32),
    (0xa1, 0x0010_ffff),
    (0, 0xa0),
];

/// One symbol.
#[derive(Debug)]
pub(super) struct Symbol {
    /// The first of its characters, in the order of [`TIERS`].
    pub(super) example: char,
    /// Which classes it belongs to, by their place.
    pub(super) classes: Vec<bool>,
}

/// The symbols of some classes, in the order of their examples. Characters that are in no class are left out.
pub(super) fn symbols(classes: &[Ranges], effort: &mut Effort) -> Result<Vec<Symbol>, TooComplex> {
    let mut groups: BTreeMap<Vec<ClassId>, Ranges> = BTreeMap::new();
    for (range, members) in pieces(classes, effort)? {
        groups.entry(members).or_default().push(range);
    }
    let mut symbols: Vec<((usize, u32), Symbol)> = Vec::new();
    for (members, ranges) in groups {
        effort.spend(classes.len())?;
        let Some((rank, example)) = ranges.into_iter().filter_map(best).min() else {
            continue;
        };
        let mut holds = vec![false; classes.len()];
        for member in members {
            if let Some(held) = holds.get_mut(member as usize) {
                *held = true;
            }
        }
        symbols.push((
            (rank, example.into()),
            Symbol {
                example,
                classes: holds,
            },
        ));
    }
    symbols.sort_by_key(|(rank, _)| *rank);
    Ok(symbols.into_iter().map(|(_, symbol)| symbol).collect())
}

/// A range with the classes that hold it.
type Piece = ((u32, u32), Vec<ClassId>);

/// The ranges between all ends of all classes, each with the classes that hold it.
fn pieces(classes: &[Ranges], effort: &mut Effort) -> Result<Vec<Piece>, TooComplex> {
    let mut begins: BTreeMap<u32, Vec<ClassId>> = BTreeMap::new();
    let mut ends: BTreeMap<u32, Vec<ClassId>> = BTreeMap::new();
    for (class, ranges) in (0..).zip(classes) {
        effort.spend(ranges.len())?;
        for (start, end) in ranges {
            begins.entry(*start).or_default().push(class);
            ends.entry(end.saturating_add(1)).or_default().push(class);
        }
    }
    let cuts: BTreeSet<u32> = begins.keys().chain(ends.keys()).copied().collect();
    let mut open: BTreeSet<ClassId> = BTreeSet::new();
    let mut pieces = Vec::new();
    let mut cuts = cuts.into_iter().peekable();
    while let Some(cut) = cuts.next() {
        for class in ends.get(&cut).into_iter().flatten() {
            open.remove(class);
        }
        open.extend(begins.get(&cut).into_iter().flatten());
        if let Some(next) = cuts.peek().filter(|_| !open.is_empty()) {
            effort.spend(open.len())?;
            pieces.push(((cut, next.saturating_sub(1)), open.iter().copied().collect()));
        }
    }
    Ok(pieces)
}

/// The most readable character of a range, with its tier.
fn best(range: (u32, u32)) -> Option<(usize, char)> {
    TIERS.iter().enumerate().find_map(|(tier, (first, last))| {
        let start = range.0.max(*first);
        let start = if (SURROGATES.0..=SURROGATES.1).contains(&start) {
            SURROGATES.1.saturating_add(1)
        } else {
            start
        };
        let found = start <= range.1.min(*last);
        found.then(|| char::from_u32(start)).flatten().map(|c| (tier, c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples(classes: &[Ranges]) -> Vec<(char, Vec<bool>)> {
        let symbols = symbols(classes, &mut Effort::of(10_000)).unwrap();
        symbols
            .into_iter()
            .map(|symbol| (symbol.example, symbol.classes))
            .collect()
    }

    #[test]
    fn characters_of_the_same_classes_are_one_symbol() {
        let all = vec![(0, 0xd7ff), (0xe000, 0x0010_ffff)];
        let dash = vec![(u32::from('-'), u32::from('-'))];
        assert_eq!(
            examples(&[all.clone(), dash]),
            [('a', vec![true, false]), ('-', vec![true, true])]
        );
        assert_eq!(examples(&[all]), [('a', vec![true])]);
    }

    #[test]
    fn a_symbol_is_shown_by_its_most_readable_character() {
        assert_eq!(examples(&[vec![(0, 0x60)]])[0].0, '0');
        assert_eq!(examples(&[vec![(0, 0x1f)]])[0].0, '\0');
        assert_eq!(examples(&[vec![(0xd7ff, 0xe000)]])[0].0, '\u{d7ff}');
        assert_eq!(examples(&[vec![(0x1f, 0x20)]])[0].0, ' ');
    }
}
