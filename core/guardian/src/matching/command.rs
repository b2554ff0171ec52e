//! `Command`: one simple command of literal words, against an argv pattern. What is judged is the argv that is executed.

mod argv;
mod words;

pub(crate) use argv::ArgvPattern;
pub(super) use words::read;
pub(crate) use words::{RESERVED, line};

/// The words of a command, each ended by a NUL, which no word holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Argv(String);

impl Argv {
    /// Each word in turn.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            // Words are short: a search that is made for long texts takes longer.
            let end = rest.bytes().position(|byte| byte == 0)?;
            let word = rest.get(..end)?;
            rest = rest.get(end.saturating_add(1)..)?;
            Some(word)
        })
    }

    /// The words as one text.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Adds a word without a NUL.
    fn push(&mut self, word: &str) {
        self.0.push_str(word);
        self.0.push('\0');
    }

    /// The words between spaces, if every character is one that no shell acts on.
    fn of_plain(line: &str) -> Option<Self> {
        let mut single = true;
        let mut last = b' ';
        for byte in line.bytes() {
            if PLAIN.get(usize::from(byte)) != Some(&true) {
                return None;
            }
            single &= byte != b' ' || last != b' ';
            last = byte;
        }
        if !single || last == b' ' {
            return Some(line.split(' ').filter(|word| !word.is_empty()).collect());
        }
        // Almost every line has one space between two words: a NUL takes its place.
        let mut text = Vec::with_capacity(line.len().saturating_add(1));
        text.extend(line.bytes().map(|byte| if byte == b' ' { 0 } else { byte }));
        text.push(0);
        String::from_utf8(text).ok().map(Self)
    }
}

/// Of each byte, whether it is a space or a character that no shell acts on.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] = matches!(
            byte,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b' ' | b'_' | b'+'..=b'/' | b':' | b'@' | b'%' | b'='
        );
        byte = byte.saturating_add(1);
    }
    plain
};

impl<S: AsRef<str>> FromIterator<S> for Argv {
    fn from_iter<I: IntoIterator<Item = S>>(words: I) -> Self {
        let mut argv = Self::default();
        words.into_iter().for_each(|word| argv.push(word.as_ref()));
        argv
    }
}
