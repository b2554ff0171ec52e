//! Scrubbing a stream: the end of what has come is held back until it can't be the beginning of a secret any more.

use super::{MARK, Scrubber, is_break};

/// Reads one stream. Whatever the cuts between chunks, the output is the same.
#[derive(Debug)]
pub struct ScrubStream {
    scrubber: Scrubber,
    /// Not yet given out.
    held: Vec<u8>,
    /// So many bytes at the front of `held` belong to a secret whose mark was given out.
    covered: usize,
}

impl ScrubStream {
    pub(super) fn new(scrubber: Scrubber) -> Self {
        Self {
            scrubber,
            held: Vec::new(),
            covered: 0,
        }
    }

    /// Takes the next chunk and gives what is certainly clean.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(chunk);
        let boundary = self.boundary();
        self.release(boundary)
    }

    /// The rest.
    pub fn finish(mut self) -> Vec<u8> {
        let end = self.held.len();
        self.release(end)
    }

    /// Where a secret could begin that is not yet whole: the last `longest - 1` bytes that are no line breaks.
    fn boundary(&self) -> usize {
        let hold = self.scrubber.longest().saturating_sub(1);
        if hold == 0 {
            return self.held.len();
        }
        let kept = self
            .held
            .iter()
            .rev()
            .enumerate()
            .filter(|(_, byte)| !is_break(**byte));
        kept.take(hold).last().map_or(self.held.len(), |(back, _)| {
            self.held.len().saturating_sub(back).saturating_sub(1)
        })
    }

    /// Gives out `held[..boundary]` with every secret that begins there replaced.
    fn release(&mut self, boundary: usize) -> Vec<u8> {
        let mut clean = Vec::with_capacity(boundary);
        let mut at = 0_usize;
        let mut covered = self.covered;
        for (start, end) in self.secrets() {
            if start >= boundary {
                break;
            }
            if start >= covered {
                clean.extend_from_slice(self.held.get(at.max(covered)..start).unwrap_or_default());
                clean.extend_from_slice(MARK.as_bytes());
            }
            covered = covered.max(end);
            at = covered;
        }
        clean.extend_from_slice(self.held.get(at.max(covered)..boundary).unwrap_or_default());
        self.held.drain(..boundary.min(self.held.len()));
        self.covered = covered.saturating_sub(boundary);
        clean
    }

    /// Where secrets lie in `held`, by start, line breaks not counted.
    fn secrets(&self) -> Vec<(usize, usize)> {
        let solid: (Vec<u8>, Vec<usize>) = self
            .held
            .iter()
            .enumerate()
            .filter(|(_, byte)| !is_break(**byte))
            .map(|(at, byte)| (*byte, at))
            .unzip();
        let (bytes, places) = solid;
        let place = |at: usize| places.get(at).copied().unwrap_or(self.held.len());
        let mut found: Vec<(usize, usize)> = self
            .scrubber
            .find(&bytes)
            .into_iter()
            .map(|(start, end)| (place(start), place(end.saturating_sub(1)).saturating_add(1)))
            .collect();
        found.sort_unstable();
        found
    }
}
