//! The texts that are looked for, sorted, so that those with the same beginning lie together.

use zeroize::Zeroizing;

use crate::forms::Sought;

/// A longer form is looked for in pieces, so that what has to be held back and tried is bounded.
const LONGEST_PIECE: usize = 64;
/// From so many characters on of a form that hardly anybody writes it is taken for meant. Fewer tell at most two bytes of a secret.
const MEANT: usize = 4;

/// Every text that is looked for.
pub(crate) struct Dictionary {
    pieces: Vec<Piece>,
    /// For each byte whether a piece begins with it.
    first: [bool; 256],
    /// A bit for each two bytes that a piece begins with.
    pairs: Box<[u64]>,
}

/// A form of a secret, or a part of one.
struct Piece {
    text: Zeroizing<Vec<u8>>,
    /// The form goes on after this piece.
    continued: bool,
    is_remote: bool,
}

/// How far into which pieces a text has been read: all those from `from` to before `to` begin with its `depth` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    from: usize,
    to: usize,
    depth: usize,
}

/// A piece that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) continued: bool,
}

impl Dictionary {
    /// Of `forms`, none of them empty.
    pub(crate) fn new(forms: impl IntoIterator<Item = Sought>) -> Self {
        let mut pieces: Vec<Piece> = forms.into_iter().flat_map(|form| cut(&form)).collect();
        pieces.sort_unstable_by(|a, b| a.text.cmp(&b.text));
        pieces.dedup_by(|later, kept| {
            let same = later.text == kept.text;
            kept.continued &= !same || later.continued;
            kept.is_remote &= !same || later.is_remote;
            same
        });
        let mut first = [false; 256];
        let mut pairs = vec![0_u64; 1024].into_boxed_slice();
        for piece in &pieces {
            if let [one, two, ..] = *piece.text.as_slice() {
                if let Some(begins) = first.get_mut(usize::from(one)) {
                    *begins = true;
                }
                let (word, bit) = pair(one, two);
                if let Some(word) = pairs.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        Self { pieces, first, pairs }
    }

    /// Before the first byte.
    pub(crate) fn beginning(&self) -> Place {
        Place {
            from: 0,
            to: self.pieces.len(),
            depth: 0,
        }
    }

    /// Whether a piece begins with `byte`.
    pub(crate) fn begins(&self, byte: u8) -> bool {
        self.first.get(usize::from(byte)).copied().unwrap_or(true)
    }

    /// Whether a piece begins with these two bytes.
    pub(crate) fn begins_with(&self, one: u8, two: u8) -> bool {
        let (word, bit) = pair(one, two);
        self.pairs.get(word).is_none_or(|word| word & bit != 0)
    }

    /// Reads one more byte; none when no piece goes on with it.
    pub(crate) fn next(&self, place: Place, byte: u8) -> Option<Place> {
        let pieces = self.pieces.get(place.from..place.to)?;
        let at = |piece: &Piece| piece.text.get(place.depth).copied();
        let (from, to) = if let [only] = pieces {
            (0, usize::from(at(only) == Some(byte)))
        } else {
            // What ends here sorts before what goes on.
            let from = pieces.partition_point(|piece| at(piece) < Some(byte));
            (from, pieces.partition_point(|piece| at(piece) <= Some(byte)))
        };
        (from < to).then(|| Place {
            from: place.from.saturating_add(from),
            to: place.from.saturating_add(to),
            depth: place.depth.saturating_add(1),
        })
    }

    /// The piece that ends here, if one does.
    pub(crate) fn ended(&self, place: Place) -> Option<Found> {
        let piece = self.pieces.get(place.from)?;
        (piece.text.len() == place.depth).then_some(Found {
            continued: piece.continued,
        })
    }

    /// Whether so few characters were read, and only of forms that hardly anybody writes, that they tell nothing.
    pub(crate) fn is_nothing(&self, place: Place) -> bool {
        let pieces = self.pieces.get(place.from..place.to).unwrap_or_default();
        place.depth < MEANT && pieces.iter().all(|piece| piece.is_remote)
    }

    /// Whether a piece goes on from here.
    pub(crate) fn goes_on(&self, place: Place) -> bool {
        let last = place.to.checked_sub(1).and_then(|last| self.pieces.get(last));
        last.is_some_and(|piece| piece.text.len() > place.depth)
    }
}

fn pair(one: u8, two: u8) -> (usize, u64) {
    let number = u16::from_be_bytes([one, two]);
    (usize::from(number >> 6), 1 << (number & 63))
}

/// Pieces of about the same size, none of which ends within a character: an escape stands for a whole one.
fn cut(form: &Sought) -> Vec<Piece> {
    let (form, is_remote) = (form.text.as_slice(), form.is_remote);
    let count = form.len().div_ceil(LONGEST_PIECE).max(1);
    let size = form.len().div_ceil(count).max(1);
    let mut pieces = Vec::new();
    let mut rest = form;
    while !rest.is_empty() {
        let within = |byte: &&u8| (0x80..0xC0).contains(*byte);
        let begun = rest.iter().skip(size).take(3).take_while(within).count();
        let (text, more) = rest.split_at(size.saturating_add(begun).min(rest.len()));
        pieces.push(Piece {
            text: Zeroizing::new(text.to_vec()),
            continued: !more.is_empty(),
            is_remote,
        });
        rest = more;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary(forms: &[&str]) -> Dictionary {
        Dictionary::new(forms.iter().map(|form| near(form.as_bytes())))
    }

    fn near(form: &[u8]) -> Sought {
        Sought {
            text: Zeroizing::new(form.to_vec()),
            is_remote: false,
        }
    }

    fn read(dictionary: &Dictionary, text: &str) -> Option<Place> {
        let beginning = Some(dictionary.beginning());
        text.bytes()
            .fold(beginning, |place, byte| dictionary.next(place?, byte))
    }

    #[test]
    fn a_piece_that_begins_another_ends_and_goes_on() {
        let dictionary = dictionary(&["abcd", "abcdef", "abx", "b"]);
        let place = read(&dictionary, "abcd").unwrap();
        assert!(dictionary.ended(place).is_some() && dictionary.goes_on(place));
        let place = read(&dictionary, "abcdef").unwrap();
        assert!(dictionary.ended(place).is_some() && !dictionary.goes_on(place));
        assert_eq!(read(&dictionary, "abcdx"), None);
        assert!(dictionary.ended(read(&dictionary, "ab").unwrap()).is_none());
    }

    #[test]
    fn a_long_form_is_looked_for_in_pieces() {
        let long: String = (0..150).map(|i| char::from(b'!' + i % 90)).collect();
        let dictionary = dictionary(&[&long]);
        let found = |text: &str| dictionary.ended(read(&dictionary, text).unwrap()).unwrap();
        assert!(found(&long[..50]).continued);
        assert!(!found(&long[100..]).continued);
    }

    #[test]
    fn no_piece_ends_within_a_character() {
        for form in ["€".repeat(100), format!("a{}", "😀".repeat(50)), "ü".repeat(33)] {
            assert!(
                cut(&near(form.as_bytes()))
                    .iter()
                    .all(|piece| std::str::from_utf8(&piece.text).is_ok())
            );
        }
        assert_eq!(cut(&near(&[0x80; 100])).len(), 2);
    }
}
