//! Text that comes in pieces, where a piece may end in the middle of a character: JSON writes one beyond the basic plane as
//! two halves, and servers that count in UTF-16 cut between them.

use std::fmt::Write as _;

/// What stands in the text for half a character whose other half never came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Lone {
    /// The replacement character: for text that people read.
    #[default]
    Replaced,
    /// The escape that JSON has for it: for arguments, which the Guardian then refuses rather than reads differently.
    Escaped,
}

/// Pieces, joined.
#[derive(Debug, Clone, Default)]
pub(super) struct Joined {
    text: String,
    half: Option<u16>,
    lone: Lone,
}

/// A string of the wire: UTF-8, save that half characters are encoded like whole ones (WTF-8).
pub(in crate::providers) struct Wide<'a>(pub(super) std::borrow::Cow<'a, [u8]>);

impl Wide<'_> {
    /// As text by itself.
    pub(in crate::providers) fn text(&self) -> String {
        let mut joined = Joined::default();
        joined.push(self);
        joined.finish()
    }
}

impl Joined {
    /// With this in place of half characters.
    pub(super) fn with(lone: Lone) -> Self {
        Self {
            lone,
            ..Self::default()
        }
    }

    /// What came until now, but for a half at its end.
    pub(super) fn so_far(&self) -> &str {
        &self.text
    }

    /// Adds a piece; gives what that adds to the text.
    pub(super) fn push(&mut self, piece: &Wide<'_>) -> &str {
        let before = self.text.len();
        let mut rest: &[u8] = &piece.0;
        while let Some((plain, half, after)) = first_half(rest) {
            self.plain(plain);
            self.half(half);
            rest = after;
        }
        self.plain(rest);
        self.text.get(before..).unwrap_or_default()
    }

    /// Adds what certainly has no halves.
    pub(super) fn push_str(&mut self, text: &str) {
        self.plain(text.as_bytes());
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        self.settle();
        self.text
    }

    fn plain(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.settle();
            self.text.push_str(&String::from_utf8_lossy(bytes));
        }
    }

    fn half(&mut self, half: u16) {
        if let Some(high) = self.half.filter(|_| is_low(half)) {
            self.half = None;
            let pair = char::decode_utf16([high, half]);
            self.text
                .extend(pair.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)));
            return;
        }
        self.settle();
        self.half = Some(half);
        if is_low(half) {
            self.settle();
        }
    }

    /// No other half comes any more.
    fn settle(&mut self) {
        if let Some(half) = self.half.take() {
            match self.lone {
                Lone::Replaced => self.text.push(char::REPLACEMENT_CHARACTER),
                Lone::Escaped => {
                    // Writing into a String can't fail.
                    let _ = write!(self.text, "\\u{half:04x}");
                }
            }
        }
    }
}

fn is_low(half: u16) -> bool {
    (0xDC00..=0xDFFF).contains(&half)
}

/// What stands before the first half character, it, and what stands behind.
fn first_half(bytes: &[u8]) -> Option<(&[u8], u16, &[u8])> {
    let at = bytes
        .windows(3)
        .position(|three| matches!(three, [0xED, 0xA0..=0xBF, _]))?;
    let (plain, rest) = bytes.split_at(at);
    let [_, middle, last, after @ ..] = rest else {
        return None;
    };
    let half = 0xD000 | (u16::from(middle & 0x3F) << 6) | u16::from(last & 0x3F);
    Some((plain, half, after))
}

#[cfg(test)]
mod tests {
    use super::super::json::Document;
    use super::*;
    use rstest::rstest;

    fn join(lone: Lone, pieces: &[&str]) -> String {
        let mut joined = Joined::with(lone);
        for piece in pieces {
            let document = Document::of(piece);
            joined.push(&document.root().unwrap().text().unwrap());
        }
        joined.finish()
    }

    #[rstest]
    #[case::whole(&[r#""🚀 grüße""#], "🚀 grüße")]
    #[case::pair(&[r#""\ud83d\ude80""#], "🚀")]
    #[case::split(&[r#""a\ud83d""#, r#""\ude80b""#], "a🚀b")]
    #[case::split_with_nothing_between(&[r#""\ud83d""#, r#""""#, r#""\ude80""#], "🚀")]
    #[case::high_alone(&[r#""\ud83d""#, r#""b""#], "\u{fffd}b")]
    #[case::low_alone(&[r#""\ude80b""#], "\u{fffd}b")]
    #[case::two_highs(&[r#""\ud83d\ud83d\ude80""#], "\u{fffd}🚀")]
    #[case::at_the_end(&[r#""a\ud83d""#], "a\u{fffd}")]
    #[case::control_bytes(&["\"a\u{1}\tb\""], "a\u{1}\tb")]
    fn halves_are_joined_over_pieces(#[case] pieces: &[&str], #[case] expected: &str) {
        assert_eq!(join(Lone::Replaced, pieces), expected);
    }

    #[test]
    fn half_a_character_in_arguments_stays_one_that_a_strict_reader_refuses() {
        let text = join(Lone::Escaped, &[r#""{\"a\":\"\ud83d""#, r#""\"}""#]);
        assert_eq!(text, r#"{"a":"\ud83d"}"#);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_err());
    }
}
