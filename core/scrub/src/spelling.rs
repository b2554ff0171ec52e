//! How one character may be written: as it is, or as an escape of JSON, of a shell, of a URL or of HTML.
//!
//! At every place of a text all spellings that begin there are tried, since only what follows tells which one was meant.

use smallvec::SmallVec;

/// The longest spelling, in bytes: a pair of surrogates, each behind a run of backslashes.
pub(crate) const LONGEST: usize = 48;
/// A longer run of backslashes was not made by escaping: four times over, a quotation mark has 15.
const MOST_BACKSLASHES: usize = 15;
/// How often an escape's own sign may have been escaped again.
const DEPTH: usize = 3;

/// The bytes that a spelling stands for, and how long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spelling {
    pub(crate) bytes: SmallVec<[u8; 4]>,
    pub(crate) length: usize,
}

/// Every spelling at one place.
pub(crate) type Spellings = SmallVec<[Spelling; 6]>;

/// Whether more than the byte itself may begin with `byte`.
pub(crate) fn is_sign(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&' | b'+')
}

/// The spellings at the beginning of `text`; none when more text is needed to tell, which never is so at the `last` of it.
pub(crate) fn read(text: &[u8], last: bool) -> Option<Spellings> {
    let mut found = Found {
        text,
        short: false,
        spellings: Spellings::new(),
    };
    match found.at(0)? {
        b'\\' => found.backslashes(),
        b'%' => found.percent(),
        b'&' => found.entity(),
        b'+' => found.add(b' ', 1),
        b'\n' => found.indentation(),
        _ => {}
    }
    found.add(*text.first()?, 1);
    (last || !found.short).then_some(found.spellings)
}

struct Found<'a> {
    text: &'a [u8],
    /// The text ended where more of a spelling could come.
    short: bool,
    spellings: Spellings,
}

impl Found<'_> {
    fn at(&mut self, place: usize) -> Option<u8> {
        let byte = self.text.get(place).copied();
        self.short |= byte.is_none();
        byte
    }

    fn add(&mut self, byte: u8, length: usize) {
        self.spellings.push(Spelling {
            bytes: SmallVec::from_slice(&[byte]),
            length,
        });
    }

    fn add_char(&mut self, character: Option<char>, length: usize) {
        if let Some(character) = character {
            let bytes = SmallVec::from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            self.spellings.push(Spelling { bytes, length });
        }
    }

    /// `digits` digits of `radix` from `place` on.
    fn number(&mut self, place: usize, digits: usize, radix: u32) -> Option<u32> {
        let mut number = 0_u32;
        for step in 0..digits {
            let digit = char::from(self.at(place.saturating_add(step))?).to_digit(radix)?;
            number = number.checked_mul(radix)?.checked_add(digit)?;
        }
        Some(number)
    }

    /// As many digits as there are, at most `most`, up to `end`; the number and where it ends.
    fn number_until(&mut self, place: usize, most: usize, radix: u32, end: u8) -> Option<(u32, usize)> {
        let mut digits = 0;
        while self.at(place.saturating_add(digits))? != end {
            digits = digits.saturating_add(1);
            if digits > most {
                return None;
            }
        }
        let after = place.saturating_add(digits).saturating_add(1);
        (digits > 0).then_some((self.number(place, digits, radix)?, after))
    }

    fn run(&mut self, place: usize) -> usize {
        let mut run = 0;
        while run <= MOST_BACKSLASHES && self.at(place.saturating_add(run)) == Some(b'\\') {
            run = run.saturating_add(1);
        }
        run
    }

    fn backslashes(&mut self) {
        let run = self.run(0);
        for length in [2, 4, 8].into_iter().filter(|length| *length <= run) {
            self.add(b'\\', length);
        }
        if run <= MOST_BACKSLASHES {
            self.escape(run);
        }
    }

    /// What the backslashes before `place` escape.
    fn escape(&mut self, place: usize) {
        let after = place.saturating_add(1);
        match self.at(place) {
            Some(b'u') => self.unicode(after),
            Some(b'U') => {
                let code = self.number(after, 8, 16);
                self.add_char(code.and_then(char::from_u32), after.saturating_add(8));
            }
            Some(b'x') => self.byte(after, 2, 16),
            Some(b'0'..=b'7') => self.byte(place, 3, 8),
            Some(b'n') => self.add(b'\n', after),
            Some(b'r') => self.add(b'\r', after),
            Some(b't') => self.add(b'\t', after),
            Some(b'b') => self.add(8, after),
            Some(b'f') => self.add(12, after),
            Some(other) if other.is_ascii() && !other.is_ascii_alphanumeric() => self.add(other, after),
            Some(_) | None => {}
        }
    }

    fn byte(&mut self, place: usize, digits: usize, radix: u32) {
        let number = self.number(place, digits, radix);
        if let Some(byte) = number.and_then(|number| u8::try_from(number).ok()) {
            self.add(byte, place.saturating_add(digits));
        }
    }

    /// `0041`, `{41}`, or two surrogates.
    fn unicode(&mut self, place: usize) {
        if self.at(place) == Some(b'{') {
            if let Some((code, after)) = self.number_until(place.saturating_add(1), 6, 16, b'}') {
                self.add_char(char::from_u32(code), after);
            }
            return;
        }
        let Some(unit) = self.number(place, 4, 16) else {
            return;
        };
        let after = place.saturating_add(4);
        self.add_char(char::from_u32(unit), after);
        if (0xD800..0xDC00).contains(&unit) {
            self.low_surrogate(unit, after);
        }
    }

    fn low_surrogate(&mut self, high: u32, place: usize) {
        let letter = place.saturating_add(self.run(place));
        if letter == place || self.at(letter) != Some(b'u') {
            return;
        }
        let low = self.number(letter.saturating_add(1), 4, 16);
        let units = [Some(high), low].map(|unit| unit.and_then(|unit| u16::try_from(unit).ok()));
        let character = char::decode_utf16(units.into_iter().flatten()).next();
        self.add_char(character.and_then(Result::ok), letter.saturating_add(5));
    }

    /// `%41`, with the percent sign itself escaped or not, and `%u0041`.
    fn percent(&mut self) {
        if self.at(1) == Some(b'u') {
            if let Some(unit) = self.number(2, 4, 16) {
                self.add_char(char::from_u32(unit), 6);
            }
            return;
        }
        let mut place = 1_usize;
        for _ in 0..=DEPTH {
            let Some(byte) = self.number(place, 2, 16).and_then(|byte| u8::try_from(byte).ok()) else {
                return;
            };
            place = place.saturating_add(2);
            self.add(byte, place);
            if byte != b'%' {
                return;
            }
        }
    }

    /// `&lt;`, `&#60;` and `&#x3c;`, with the ampersand itself escaped or not.
    fn entity(&mut self) {
        let mut place = 1_usize;
        for _ in 0..=DEPTH {
            if self.at(place) == Some(b'#') {
                self.numeric_entity(place.saturating_add(1));
                return;
            }
            let Some((byte, after)) = self.named_entity(place) else {
                return;
            };
            self.add(byte, after);
            place = after;
            if byte != b'&' {
                return;
            }
        }
    }

    fn numeric_entity(&mut self, place: usize) {
        let hexadecimal = matches!(self.at(place), Some(b'x' | b'X'));
        let radix = if hexadecimal { 16 } else { 10 };
        let digits = place.saturating_add(usize::from(hexadecimal));
        if let Some((code, after)) = self.number_until(digits, 8, radix, b';') {
            self.add_char(char::from_u32(code), after);
        }
    }

    fn named_entity(&mut self, place: usize) -> Option<(u8, usize)> {
        let names = [
            ("amp;", b'&'),
            ("lt;", b'<'),
            ("gt;", b'>'),
            ("quot;", b'"'),
            ("apos;", b'\''),
        ];
        names.into_iter().find_map(|(name, byte)| {
            let mut letters = name.bytes().enumerate();
            let same = letters.all(|(step, letter)| self.at(place.saturating_add(step)) == Some(letter));
            same.then(|| (byte, place.saturating_add(name.len())))
        })
    }

    /// A line break with the blanks that begin the next line.
    fn indentation(&mut self) {
        let mut length = 1_usize;
        while length < LONGEST && matches!(self.at(length), Some(b' ' | b'\t')) {
            length = length.saturating_add(1);
        }
        if length > 1 {
            self.add(b'\n', length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::unicode(r"\u0041", "A")]
    #[case::unicode_twice(r"\\u0041", "A")]
    #[case::unicode_braces(r"\u{41}", "A")]
    #[case::unicode_long(r"\U00000041", "A")]
    #[case::surrogates(r"\ud83d\ude00", "😀")]
    #[case::surrogates_twice(r"\\ud83d\\ude00", "😀")]
    #[case::letters(r"\u00fc", "ü")]
    #[case::hexadecimal(r"\x41", "A")]
    #[case::octal(r"\101", "A")]
    #[case::quote(r#"\""#, "\"")]
    #[case::quote_twice(r#"\\\""#, "\"")]
    #[case::quote_four_times(r#"\\\\\\\\\\\\\\\""#, "\"")]
    #[case::slash(r"\/", "/")]
    #[case::backslash(r"\\", "\\")]
    #[case::backslash_twice(r"\\\\", "\\")]
    #[case::tab(r"\t", "\t")]
    #[case::percent("%41", "A")]
    #[case::percent_twice("%2541", "A")]
    #[case::percent_unicode("%u0041", "A")]
    #[case::plus("+", " ")]
    #[case::entity("&lt;", "<")]
    #[case::entity_twice("&amp;lt;", "<")]
    #[case::decimal("&#65;", "A")]
    #[case::zeros("&#0065;", "A")]
    #[case::hexadecimal_entity("&#x41;", "A")]
    #[case::hexadecimal_entity_twice("&amp;#X41;", "A")]
    #[case::indented("\n    ", "\n")]
    fn a_spelling_is_read_once_it_is_whole(#[case] text: &str, #[case] meant: &str) {
        let whole = |spellings: Spellings| {
            spellings.iter().any(|spelling| {
                spelling.bytes.as_slice() == meant.as_bytes() && spelling.length == text.len()
            })
        };
        let longer = format!("{text}.");
        assert!(whole(read(longer.as_bytes(), false).unwrap()));
        for end in 1..text.len() {
            assert_eq!(read(&text.as_bytes()[..end], false), None, "{}", &text[..end]);
            assert!(!whole(read(&text.as_bytes()[..end], true).unwrap()));
        }
    }

    #[rstest]
    #[case("")]
    #[case("%4")]
    #[case("%zz")]
    #[case(r"\u00")]
    #[case(r"\ud83d")]
    #[case("&#;")]
    #[case("&#xffffffffff;")]
    #[case("&nosuch;")]
    #[case("&#1114112;")]
    fn what_is_no_escape_is_only_itself(#[case] text: &str) {
        let read = read(text.as_bytes(), true);
        assert!(read.is_none_or(|spellings| spellings.len() == 1));
    }

    #[test]
    fn no_spelling_is_longer_than_is_looked_ahead() {
        let signs = [
            "\\".repeat(100),
            format!("{0}ud83d{0}ude00", "\\".repeat(15)),
            "%25".repeat(30),
            "&amp;".repeat(30),
            "\n".to_owned() + &" ".repeat(200),
        ];
        for sign in signs {
            let spellings = read(sign.as_bytes(), false);
            let longest = spellings
                .into_iter()
                .flatten()
                .map(|spelling| spelling.length)
                .max();
            assert!(longest.unwrap() <= LONGEST, "{sign}");
        }
    }
}
