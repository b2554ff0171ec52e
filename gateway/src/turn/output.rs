//! A call's output on its way back: scrubbed, then bounded.

use crate::providers::conversation::Image;
use crate::scrub::{ScrubStream, Scrubber};

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
    pub(super) fn image(bytes: &[u8], scrubber: &Scrubber) -> Self {
        let image = Image::of(bytes).ok();
        let image = image.filter(|_| scrubber.bytes(bytes) == bytes);
        let content = image.as_ref().map_or_else(
            || format!("(an answer of {} bytes that can't be shown)", bytes.len()),
            Image::told,
        );
        Self {
            content,
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
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        self.received = self.received.saturating_add(bytes.len());
        if self.received > self.most.saturating_mul(2).saturating_add(SLACK) {
            self.truncated = true;
            return false;
        }
        let clean = self.stream.push(bytes);
        self.keep(&clean);
        true
    }

    /// Notes that the runner left something out.
    pub(super) fn cut(&mut self) {
        self.truncated = true;
    }

    /// All of it.
    pub(super) fn finish(mut self) -> Clean {
        let stream = std::mem::replace(&mut self.stream, Scrubber::default().stream());
        let rest = stream.finish();
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
mod tests {
    use super::*;

    fn scrubber() -> Scrubber {
        Scrubber::new([b"hunter2-secret".as_slice()]).unwrap()
    }

    #[test]
    fn a_secret_at_the_bound_is_not_half_shown() {
        let mut output = Output::new(&scrubber(), 10);
        output.push(b"abcdefghunter2");
        output.push(b"-secret and more");
        let clean = output.finish();
        assert_eq!(clean.content, "abcdefg[se\n[the rest was cut off]");
        assert!(clean.truncated);
    }

    #[test]
    fn what_fits_is_whole() {
        let mut output = Output::new(&scrubber(), 100);
        output.push(b"token: hunter2-sec");
        output.push(b"ret.");
        assert_eq!(
            output.finish(),
            Clean {
                content: "token: [secret].".to_owned(),
                truncated: false,
                image: None
            }
        );
    }

    #[test]
    fn an_image_is_shown_whole_or_told() {
        let png = b"\x89PNG\r\n\x1a\n".as_slice();
        let shown = Clean::image(png, &scrubber());
        assert_eq!(shown.content, "[an image: image/png, 8 bytes]");
        assert_eq!(shown.image.unwrap().bytes(), 8);
        for bytes in [[png, b"hunter2-secret"].concat(), b"<html>".to_vec()] {
            let told = Clean::image(&bytes, &scrubber());
            assert_eq!(told.image, None);
            assert!(told.content.starts_with("(an answer of "), "{}", told.content);
        }
    }

    #[test]
    fn a_runaway_is_noticed_and_memory_stays_bounded() {
        let mut output = Output::new(&scrubber(), 8);
        let chunk = vec![b'x'; 64 << 10];
        let taken = (0..100).take_while(|_| output.push(&chunk)).count();
        assert!(taken < 20, "{taken}");
        assert!(output.kept.len() <= 8);
    }

    #[test]
    fn a_cut_character_does_not_break_the_text() {
        let mut output = Output::new(&Scrubber::default(), 3);
        output.push("aüü".as_bytes());
        assert!(output.finish().content.starts_with("aü"));
    }
}
