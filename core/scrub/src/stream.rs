//! Scrubbing a stream: the end of what has come is held back until it can't be the beginning of a secret any more.

use std::sync::Arc;

use crate::MARK;
use crate::dictionary::Dictionary;
use crate::matcher::{Mark, Matcher};

/// How a text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All of it came.
    Whole,
    /// More existed, or nobody knows: a bound was reached, or whoever sent it is gone.
    Cut,
}

/// Reads one stream. Whatever the cuts between chunks, the output is the same.
pub struct ScrubStream {
    search: Option<Search>,
}

struct Search {
    matcher: Matcher,
    held: Vec<u8>,
    /// Where in the stream `held` begins.
    base: usize,
    output: Output,
}

/// Shows nothing of what it holds.
impl std::fmt::Debug for ScrubStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScrubStream").finish_non_exhaustive()
    }
}

impl ScrubStream {
    pub(crate) fn new(dictionary: Option<&Arc<Dictionary>>) -> Self {
        let search = dictionary.map(|dictionary| Search {
            matcher: Matcher::new(Arc::clone(dictionary)),
            held: Vec::new(),
            base: 0,
            output: Output::default(),
        });
        Self { search }
    }

    /// Takes the next chunk and gives what is certainly clean.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        match &mut self.search {
            Some(search) => search.push(chunk),
            None => chunk.to_vec(),
        }
    }

    /// The rest. Where the stream was cut, what could begin a secret is dropped.
    pub fn finish(mut self, end: End) -> Vec<u8> {
        match &mut self.search {
            Some(search) => search.give(end, false),
            None => Vec::new(),
        }
    }
}

impl Search {
    fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(chunk);
        self.give(End::Cut, true)
    }

    /// What is decided, if nothing or anything could follow; whether more is to come.
    fn give(&mut self, end: End, come: bool) -> Vec<u8> {
        let decided = self.matcher.decide(&self.held, self.base, end, come);
        let marks = self.matcher.take_marks(decided);
        let clean = self.output.give(marks, &self.held, self.base, decided);
        let gone = decided.saturating_sub(self.base).min(self.held.len());
        self.held.drain(..gone);
        self.base = self.base.saturating_add(gone);
        clean
    }
}

/// `text` without secrets; none when it is clean as it is.
pub(crate) fn scrubbed(dictionary: &Arc<Dictionary>, text: &[u8], end: End) -> Option<Vec<u8>> {
    let mut matcher = Matcher::new(Arc::clone(dictionary));
    let decided = matcher.decide(text, 0, end, false);
    let marks = matcher.take_marks(decided);
    if marks.is_empty() && decided == text.len() {
        return None;
    }
    Some(Output::default().give(marks, text, 0, decided))
}

/// Puts marks in the places of secrets.
#[derive(Default)]
struct Output {
    /// Everything before was given out, or belongs to a secret.
    at: usize,
    /// The end of the last secret.
    marked: Option<usize>,
}

impl Output {
    /// What lies before `end` and was not given out yet, out of `text`, which begins at `base`.
    fn give(&mut self, marks: Vec<Mark>, text: &[u8], base: usize, end: usize) -> Vec<u8> {
        let part = |from: usize, to: usize| {
            let part = text.get(from.saturating_sub(base)..to.saturating_sub(base));
            part.unwrap_or_default()
        };
        let mut clean = Vec::with_capacity(end.saturating_sub(self.at));
        for mark in marks {
            // What overlaps or touches the last one is one with it.
            if self.marked.is_none_or(|last| mark.start > last) {
                clean.extend_from_slice(part(self.at, mark.start));
                clean.extend_from_slice(MARK.as_bytes());
            }
            self.marked = self.marked.max(Some(mark.end));
            self.at = self.at.max(mark.end);
        }
        if self.at < end {
            clean.extend_from_slice(part(self.at, end));
            self.at = end;
        }
        clean
    }
}
