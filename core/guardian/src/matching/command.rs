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
        let mut text = String::with_capacity(line.len().saturating_add(1));
        for byte in line.bytes().chain([b' ']) {
            match byte {
                b' ' if text.is_empty() || text.ends_with('\0') => {}
                b' ' => text.push('\0'),
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'+'..=b'/' | b':' | b'@' | b'%' | b'=' => {
                    text.push(char::from(byte));
                }
                _ => return None,
            }
        }
        Some(Self(text))
    }
}

impl<S: AsRef<str>> FromIterator<S> for Argv {
    fn from_iter<I: IntoIterator<Item = S>>(words: I) -> Self {
        let mut argv = Self::default();
        words.into_iter().for_each(|word| argv.push(word.as_ref()));
        argv
    }
}
