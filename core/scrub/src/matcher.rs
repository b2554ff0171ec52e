//! Finds secrets in a text as it comes, in whatever spelling.
//!
//! A thread is one way to read the text from where a secret may have begun. Threads are few: one dies with the first
//! character that does not fit, and there are never more at one place than a piece has bytes, so that the work
//! is in proportion to the text, whatever text and secrets are.

use std::sync::Arc;

use crate::dictionary::{Dictionary, Place};
use crate::is_overlooked;
use crate::spelling::{self, Spelling};
use crate::stream::End;

/// The places ahead at which threads can wait; more than the longest spelling.
const AHEAD: usize = 64;
const _: () = assert!(spelling::LONGEST < AHEAD);
/// So many overlooked characters in a row may be within a secret.
const MOST_OVERLOOKED: u8 = 16;

/// A secret's place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// One way to read a secret that began at `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Thread {
    place: Place,
    start: usize,
    overlooked: u8,
}

/// The search through one text.
pub(crate) struct Matcher {
    dictionary: Arc<Dictionary>,
    /// The next place to read at. All places count from the beginning of the text.
    at: usize,
    /// Threads by the place at which they go on, in a ring.
    waiting: Vec<Vec<Thread>>,
    alive: usize,
    /// In order of their ends, those that overlap or touch being one where that is known.
    marks: Vec<Mark>,
    /// The end of a piece that may go on behind a line break.
    wrapped: Option<usize>,
}

impl Matcher {
    pub(crate) fn new(dictionary: Arc<Dictionary>) -> Self {
        Self {
            dictionary,
            at: 0,
            waiting: vec![Vec::new(); AHEAD],
            alive: 0,
            marks: Vec::new(),
            wrapped: None,
        }
    }

    /// Reads on in `text`, which is what lies from `base` on. Up to the place that is returned all is decided: behind it a
    /// secret may have begun that is not whole yet, unless the text is. Whether more is to `come`, or the text was cut here.
    pub(crate) fn decide(&mut self, text: &[u8], base: usize, end: End, come: bool) -> usize {
        self.read(text, base, end == End::Whole);
        if end == End::Whole {
            return base.saturating_add(text.len());
        }
        if self.alive == 0 {
            return self.at;
        }
        let threads = self.waiting.iter().flatten();
        let begun = threads.filter(|thread| come || !self.dictionary.is_nothing(thread.place));
        begun
            .map(|thread| thread.start)
            .min()
            .map_or(self.at, |start| start.min(self.at))
    }

    fn read(&mut self, text: &[u8], base: usize, last: bool) {
        while let Some(rest) = text.get(self.at.saturating_sub(base)..) {
            let clean = if self.alive == 0 { self.clean(rest) } else { 0 };
            self.at = self.at.saturating_add(clean);
            let rest = rest.get(clean..).unwrap_or_default();
            let (Some(byte), Some(spellings)) = (rest.first(), spelling::read(rest, last)) else {
                return;
            };
            self.step(*byte, &spellings);
            self.at = self.at.saturating_add(1);
        }
    }

    /// The marks that begin before `end`, by their beginnings.
    pub(crate) fn take_marks(&mut self, end: usize) -> Vec<Mark> {
        let marks = std::mem::take(&mut self.marks);
        let (mut taken, rest): (Vec<_>, _) = marks.into_iter().partition(|mark| mark.start < end);
        self.marks = rest;
        taken.sort_unstable_by_key(|mark| mark.start);
        taken
    }

    /// How many bytes of `rest` certainly begin nothing.
    fn clean(&self, rest: &[u8]) -> usize {
        // Where a secret may be wrapped a break has to be looked at.
        let wrapped = self.wrapped.and_then(|end| end.checked_sub(self.at));
        let most = wrapped.map_or(rest.len(), |ahead| ahead.min(rest.len()));
        let begins = |at: usize, byte: u8| {
            let next = rest.get(at.saturating_add(1)).copied();
            spelling::is_sign(byte) || (self.dictionary.begins(byte) && self.may_go_on(byte, next))
        };
        let looked_at = rest.iter().take(most).enumerate();
        let mut beginnings = looked_at.filter(|(at, byte)| begins(*at, **byte));
        beginnings.next().map_or(most, |(at, _)| at)
    }

    fn may_go_on(&self, byte: u8, next: Option<u8>) -> bool {
        next.is_none_or(|next| {
            spelling::is_sign(next) || is_overlooked(next) || self.dictionary.begins_with(byte, next)
        })
    }

    /// Reads the character at this place in each of its spellings, with every thread that waits here and with a new one.
    fn step(&mut self, byte: u8, spellings: &[Spelling]) {
        if self.wrapped.take_if(|end| *end == self.at).is_some() && matches!(byte, b'\n' | b'\r') {
            let end = self.at.saturating_add(1);
            self.mark(self.at, end);
            self.wrapped = Some(end);
        }
        let mut here = self.arrived();
        let new = Thread {
            place: self.dictionary.beginning(),
            start: self.at,
            overlooked: MOST_OVERLOOKED,
        };
        here.push(new);
        for spelling in spellings {
            for thread in &here {
                self.follow(*thread, spelling);
            }
        }
        // The room is used again.
        here.clear();
        if let Some(slot) = self.waiting.get_mut(self.at.wrapping_rem(AHEAD)) {
            *slot = here;
        }
    }

    /// The threads that wait here; of those that have read the same, the one that began first.
    fn arrived(&mut self) -> Vec<Thread> {
        let slot = self.waiting.get_mut(self.at.wrapping_rem(AHEAD));
        let mut here = slot.map(std::mem::take).unwrap_or_default();
        self.alive = self.alive.saturating_sub(here.len());
        if here.len() > 1 {
            here.sort_unstable();
            here.dedup_by_key(|thread| thread.place);
        }
        here
    }

    fn follow(&mut self, thread: Thread, spelling: &Spelling) {
        let end = self.at.saturating_add(spelling.length);
        let mut place = thread.place;
        let mut overlooked = 0;
        for byte in &spelling.bytes {
            if is_overlooked(*byte) {
                overlooked = thread.overlooked.saturating_add(1);
                continue;
            }
            let Some(next) = self.dictionary.next(place, *byte) else {
                return;
            };
            place = next;
            if let Some(found) = self.dictionary.ended(place) {
                self.mark(thread.start, end);
                self.wrapped = found.continued.then_some(end).or(self.wrapped);
            }
        }
        if overlooked <= MOST_OVERLOOKED && self.dictionary.goes_on(place) {
            self.wait(
                end,
                Thread {
                    place,
                    start: thread.start,
                    overlooked,
                },
            );
        }
    }

    fn wait(&mut self, at: usize, thread: Thread) {
        if let Some(slot) = self.waiting.get_mut(at.wrapping_rem(AHEAD)) {
            slot.push(thread);
            self.alive = self.alive.saturating_add(1);
        }
    }

    fn mark(&mut self, start: usize, end: usize) {
        match self.marks.last_mut() {
            Some(last) if start >= last.start && start <= last.end => last.end = last.end.max(end),
            _ => self.marks.push(Mark { start, end }),
        }
    }
}
