//! Whether one glob is seen to match everything that another one matches, without a search.
//!
//! The other glob is read like a value: its literal text is text, and a wildcard of it is a piece that only a wildcard can stand
//! for that may stand for all that it stands for. Where that succeeds, the answer is certain. Where it does not, nothing is known.

use super::super::reach::Reach;
use super::{Glob, Wildcard};

/// One piece of a glob that is read like a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    Wild(Wildcard),
}

/// What is known of the text that some pieces stand for.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// It is not empty, for sure.
    filled: bool,
    /// It is empty or ends with a separator, for sure.
    closed: bool,
}

impl Glob {
    /// Whether it is known to match all that the other one matches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        if self.separator != other.separator || !self.may_cover(other) {
            return false;
        }
        let pieces = other.pieces();
        let mut reach = Reach::none(pieces.len());
        reach.add(0);
        reach = after_text(&self.prefix, &pieces, &reach);
        for (wildcard, literal) in &self.rest {
            let spread = self.over(*wildcard, &pieces, &reach);
            reach = after_text(literal, &pieces, &spread);
            if reach.is_none() {
                return false;
            }
        }
        reach.holds(pieces.len())
    }

    /// Whether a value may match both, by a look at both ends.
    pub(crate) fn may_meet(&self, other: &Self) -> bool {
        let (begin, other_begin) = (self.prefix.as_str(), other.prefix.as_str());
        let (end, other_end) = (self.end(), other.end());
        (begin.starts_with(other_begin) || other_begin.starts_with(begin))
            && (end.ends_with(other_end) || other_end.ends_with(end))
    }

    /// A look at both ends, which tells almost all pairs of a long list apart.
    fn may_cover(&self, other: &Self) -> bool {
        other.prefix.starts_with(&self.prefix) && (self.rest.is_empty() || other.end().ends_with(self.end()))
    }

    /// The literal text after the last wildcard; all of it where there is none.
    fn end(&self) -> &str {
        self.rest.last().map_or(&self.prefix, |(_, end)| end)
    }

    fn pieces(&self) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = self.prefix.bytes().map(Piece::Byte).collect();
        for (wildcard, literal) in &self.rest {
            pieces.push(Piece::Wild(*wildcard));
            pieces.extend(literal.bytes().map(Piece::Byte));
        }
        pieces
    }

    /// Where the pieces can end that the wildcard may stand for.
    fn over(&self, wildcard: Wildcard, pieces: &[Piece], reach: &Reach) -> Reach {
        let mut next = Reach::none(pieces.len());
        for start in reach.places() {
            let mut stretch = Stretch {
                filled: false,
                closed: true,
            };
            let mut place = start;
            loop {
                if wildcard.may_end(stretch) {
                    next.add(place);
                }
                let Some(piece) = pieces.get(place).filter(|piece| self.may_hold(wildcard, **piece)) else {
                    break;
                };
                stretch = self.with(stretch, *piece);
                place = place.saturating_add(1);
            }
        }
        next
    }

    /// Whether the wildcard may stand for such a piece.
    fn may_hold(&self, wildcard: Wildcard, piece: Piece) -> bool {
        match (wildcard, piece) {
            (Wildcard::Within { .. }, Piece::Byte(byte)) => Some(byte) != self.separator,
            (Wildcard::Within { .. }, Piece::Wild(inner)) => matches!(inner, Wildcard::Within { .. }),
            (Wildcard::Across { .. } | Wildcard::Segments { .. }, _) => true,
        }
    }

    fn with(&self, stretch: Stretch, piece: Piece) -> Stretch {
        match piece {
            Piece::Byte(byte) => Stretch {
                filled: true,
                closed: Some(byte) == self.separator,
            },
            Piece::Wild(Wildcard::Within { min } | Wildcard::Across { min }) => Stretch {
                filled: stretch.filled || min > 0,
                closed: false,
            },
            Piece::Wild(Wildcard::Segments { min }) => Stretch {
                filled: stretch.filled || min > 0,
                closed: stretch.closed || min > 0,
            },
        }
    }
}

impl Wildcard {
    /// Whether it may stand for such a stretch.
    fn may_end(self, stretch: Stretch) -> bool {
        match self {
            Self::Within { min } | Self::Across { min } => stretch.filled || min == 0,
            Self::Segments { min } => stretch.closed && (stretch.filled || min == 0),
        }
    }
}

/// Where a literal text ends that begins at one of these places.
fn after_text(text: &str, pieces: &[Piece], reach: &Reach) -> Reach {
    let mut next = Reach::none(pieces.len());
    for place in reach.places() {
        let ahead = pieces.get(place..).unwrap_or_default();
        let fits = ahead.len() >= text.len()
            && text
                .bytes()
                .zip(ahead)
                .all(|(byte, piece)| *piece == Piece::Byte(byte));
        if fits {
            next.add(place.saturating_add(text.len()));
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::itself("a/*/b**", "a/*/b**", true)]
    #[case::literal("acme/*", "acme/web", true)]
    #[case::narrower("acme/*", "acme/web-*", true)]
    #[case::wider("acme/web-*", "acme/*", false)]
    #[case::across("acme/**", "acme/*/x", true)]
    #[case::star_for_two("acme/*", "acme/**", false)]
    #[case::star_that_may_be_empty("a*", "a", true)]
    #[case::star_that_must_not("a/*", "a/x*", true)]
    #[case::star_that_may_be_for_one_that_must_not("a/*", "a/**", false)]
    #[case::segments("**/x", "a/*/x", true)]
    #[case::no_segments("**/x", "x", true)]
    #[case::half_a_segment("**/x", "a*x", false)]
    #[case::segments_of_segments("**/x", "a/**/x", true)]
    #[case::two_runs("**/a/**", "b/*/a/c*", true)]
    #[case::other_end("*.a", "*.b", false)]
    fn is_seen(#[case] wide: &str, #[case] narrow: &str, #[case] expected: bool) {
        let glob = |pattern: &str| Glob::of_text(pattern, Some('/')).unwrap();
        assert_eq!(glob(wide).covers(&glob(narrow)), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn what_is_covered_is_matched(
            wide in "[ab/]{0,2}(\\*{1,2}[ab/]{0,2}){0,3}", narrow in "[ab/]{0,2}(\\*{1,2}[ab/]{0,2}){0,3}",
            values in proptest::collection::vec("[ab/]{0,7}", 32)
        ) {
            let glob = |pattern: &str| Glob::of_text(pattern, Some('/'));
            if let (Ok(outer), Ok(inner)) = (glob(&wide), glob(&narrow)) && outer.covers(&inner) {
                for value in values {
                    prop_assert!(!inner.matches(&value) || outer.matches(&value), "{} {} {}", wide, narrow, value);
                }
            }
        }

        #[test]
        fn a_glob_covers_itself(pattern in "[ab/]{0,2}(\\*{1,2}[ab/]{0,2}){0,4}") {
            if let Ok(glob) = Glob::of_text(&pattern, Some('/')) {
                prop_assert!(glob.covers(&glob), "{}", pattern);
            }
        }
    }
}
