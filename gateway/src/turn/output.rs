//! A call's output on its way back: scrubbed, then bounded.

use monstrum_scrub::{End, ScrubStream, Scrubber, Tainted};

use crate::providers::conversation::Image;

/// What a runner may send beyond the bound that it was given before it counts as runaway.
const SLACK: usize = 1 << 20;

/// Collects one call's output.
#[derive(Debug)]
pub(super) struct Output {
    stream: ScrubStream,
    kept: Vec<u8>,
    most: usize,
    received: usize,
    truncated: bool,
}

/// Output as the model, the user and the ledger may see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Clean {
    pub(super) content: String,
    pub(super) truncated: bool,
    /// What the content tells of, where it is an image.
    pub(super) image: Option<Image>,
}

impl Clean {
    /// An image is shown whole or not at all: bytes that a scrubber altered are none any more.
    pub(super) fn image(content: &Tainted, scrubber: &Scrubber) -> Self {
        let image = content
            .bytes_if_clean(scrubber)
            .and_then(|bytes| Image::of(&bytes).ok());
        let told = image.as_ref().map_or_else(
            || format!("(an answer of {} bytes that can't be shown)", content.len()),
            Image::told,
        );
        Self {
            content: told,
            truncated: false,
            image,
        }
    }
}

impl Output {
    /// Keeps at most `most` bytes.
    pub(super) fn new(scrubber: &Scrubber, most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self {
            stream: scrubber.stream(),
            kept: Vec::new(),
            most,
            received: 0,
            truncated: false,
        }
    }

    /// Takes the next bytes. False when a runner sends far more than it may.
    pub(super) fn push(&mut self, bytes: &Tainted) -> bool {
        self.received = self.received.saturating_add(bytes.len());
        if self.received > self.most.saturating_mul(2).saturating_add(SLACK) {
            self.truncated = true;
            return false;
        }
        // What follows a piece that was left out is not what came behind it.
        if !self.truncated {
            let clean = bytes.through(&mut self.stream);
            self.keep(&clean);
        }
        true
    }

    /// Notes that the runner left something out.
    pub(super) fn cut(&mut self) {
        self.truncated = true;
    }

    /// All of it, `end` saying whether the runner got to its end.
    pub(super) fn finish(mut self, end: End) -> Clean {
        let end = if self.truncated { End::Cut } else { end };
        let stream = std::mem::replace(&mut self.stream, Scrubber::default().stream());
        let rest = stream.finish(end);
        self.keep(&rest);
        let mut content = String::from_utf8_lossy(&self.kept).into_owned();
        // Replacement characters are longer than the bytes that they stand for.
        content.truncate(content.floor_char_boundary(self.most));
        if self.truncated {
            content.push_str("\n[the rest was cut off]");
        }
        Clean {
            content,
            truncated: self.truncated,
            image: None,
        }
    }

    fn keep(&mut self, clean: &[u8]) {
        let room = self.most.saturating_sub(self.kept.len());
        let fitting = clean.get(..room.min(clean.len())).unwrap_or_default();
        self.kept.extend_from_slice(fitting);
        self.truncated |= fitting.len() < clean.len();
    }
}

#[cfg(test)]
mod tests;
