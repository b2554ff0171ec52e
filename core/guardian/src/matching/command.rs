//! `Command`: one simple command of literal words, against an argv pattern. What is judged is the argv that is executed.

mod argv;
mod words;

pub(crate) use argv::ArgvPattern;
pub(super) use words::read;
pub(crate) use words::{RESERVED, line};

/// The words as one text, each ended by a NUL, which no word holds.
pub(super) fn key(words: &[String]) -> String {
    let mut key = String::new();
    for word in words {
        key.push_str(word);
        key.push('\0');
    }
    key
}
