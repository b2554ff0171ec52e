//! Takes leased secrets out of everything that comes back from the world, also when they are split over chunks or encoded.

mod encodings;
mod stream;

use std::sync::Arc;

use aho_corasick::AhoCorasick;

pub use stream::ScrubStream;

/// What stands in a secret's place.
pub const MARK: &str = "[secret]";

/// Shorter fields are not looked for: they would be found everywhere.
const MIN_SECRET: usize = 4;

/// Knows a set of secrets in all their usual encodings.
///
/// Line breaks are not looked at when matching, since encoders wrap their output (`base64` after 76 characters).
#[derive(Clone, Default)]
pub struct Scrubber {
    automaton: Option<Arc<Automaton>>,
}

struct Automaton {
    matcher: AhoCorasick,
    longest: usize,
}

/// Shows nothing of what it knows.
impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scrubber")
            .field("empty", &self.automaton.is_none())
            .finish()
    }
}

impl Scrubber {
    /// Knows `secrets`. Should the matcher refuse to be built (it has size limits), there is no scrubber: the caller must
    /// then not use the secrets.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, aho_corasick::BuildError> {
        let mut patterns: Vec<Vec<u8>> = secrets.into_iter().flat_map(encodings::of).collect();
        patterns.sort_unstable();
        patterns.dedup();
        let Some(longest) = patterns.iter().map(Vec::len).max() else {
            return Ok(Self::default());
        };
        let matcher = AhoCorasick::new(&patterns)?;
        for pattern in &mut patterns {
            zeroize::Zeroize::zeroize(pattern);
        }
        Ok(Self {
            automaton: Some(Arc::new(Automaton { matcher, longest })),
        })
    }

    /// A reader of one stream.
    pub fn stream(&self) -> ScrubStream {
        ScrubStream::new(self.clone())
    }

    /// `bytes` without secrets.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.stream();
        let mut clean = stream.push(bytes);
        clean.extend(stream.finish());
        clean
    }

    /// `text` without secrets.
    pub fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// How many bytes the longest secret has in its longest encoding.
    fn longest(&self) -> usize {
        self.automaton.as_ref().map_or(0, |automaton| automaton.longest)
    }

    /// Start and end of every secret in `bytes` (overlaps included, in order of their ends).
    fn find(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let Some(automaton) = &self.automaton else {
            return Vec::new();
        };
        automaton
            .matcher
            .find_overlapping_iter(bytes)
            .map(|found| (found.start(), found.end()))
            .collect()
    }
}

fn is_break(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

#[cfg(test)]
mod tests;
