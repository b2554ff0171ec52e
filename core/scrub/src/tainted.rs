//! What comes from the world, until it has passed a scrubber.

use std::error::Error;
use std::fmt;

use serde_json::Value;

use crate::Scrubber;
use crate::decode::{self, Decoded};
use crate::json::{self, NotJson};
use crate::stream::{End, ScrubStream};

/// Bytes that may hold a secret.
///
/// They have no way out but a [`Scrubber`]. Taking less than there is, is remembered, so that half a secret is
/// dropped.
///
/// It can't be shown, compared, cut or borrowed:
/// ```compile_fail
/// println!("{}", monstrum_scrub::Tainted::from("x"));
/// ```
/// ```compile_fail
/// assert!(monstrum_scrub::Tainted::from("x") == monstrum_scrub::Tainted::from("x"));
/// ```
/// ```compile_fail
/// monstrum_scrub::Tainted::from("x").truncate(1);
/// ```
/// ```compile_fail
/// let bytes: &[u8] = monstrum_scrub::Tainted::from("x").as_ref();
/// ```
/// ```compile_fail
/// monstrum_scrub::Tainted::from("x").bytes;
/// ```
/// ```compile_fail
/// serde_json::to_string(&monstrum_scrub::Tainted::from("x"));
/// ```
#[derive(Clone, Default)]
pub struct Tainted {
    bytes: Vec<u8>,
    cut: bool,
}

/// Shows how much it is, and nothing of it.
impl fmt::Debug for Tainted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tainted")
            .field("len", &self.bytes.len())
            .field("cut", &self.cut)
            .finish()
    }
}

impl From<Vec<u8>> for Tainted {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, cut: false }
    }
}

impl From<&[u8]> for Tainted {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<String> for Tainted {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&str> for Tainted {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl Tainted {
    /// An error with everything that caused it, in one line. Libraries quote what they were given.
    pub fn error(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            text.push_str(": ");
            text.push_str(&next.to_string());
            cause = next.source();
        }
        text.into()
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether more existed than was taken.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Notes that more existed.
    pub fn cut(&mut self) {
        self.cut = true;
    }

    /// Adds as much of `chunk` as fits into `most` bytes together. False when not all of it does: the text is cut then.
    pub fn take_up_to(&mut self, most: usize, chunk: &[u8]) -> bool {
        let room = most.saturating_sub(self.bytes.len());
        let taken = chunk.get(..room).unwrap_or(chunk);
        if !self.cut {
            self.bytes.extend_from_slice(taken);
        }
        self.cut |= taken.len() < chunk.len();
        !self.cut
    }

    /// Whether these are UTF-8 without a NUL, but for a character that was cut apart, or begin with the mark of UTF-16.
    pub fn looks_like_text(&self) -> bool {
        if decode::is_marked(&self.bytes) {
            return true;
        }
        let valid = match std::str::from_utf8(&self.bytes) {
            Ok(_) => true,
            Err(error) => self.cut && error.error_len().is_none(),
        };
        valid && !self.bytes.contains(&0)
    }

    /// As the next chunk of `stream`: what is certainly clean of it.
    pub fn through(&self, stream: &mut ScrubStream) -> Vec<u8> {
        stream.push(&self.bytes)
    }

    /// As bytes, without secrets.
    pub fn bytes(&self, scrubber: &Scrubber) -> Vec<u8> {
        scrubber.ended(self.bytes.clone(), self.end())
    }

    /// As bytes, if all of them came and no secret is among them: what is not text is worth nothing with a mark in it.
    pub fn bytes_if_clean(&self, scrubber: &Scrubber) -> Option<Vec<u8>> {
        (!self.cut && !scrubber.finds(&self.bytes)).then(|| self.bytes.clone())
    }

    /// As UTF-8, without secrets.
    pub fn text(&self, scrubber: &Scrubber) -> String {
        self.decoded(None, scrubber)
    }

    /// As text in the character encoding `charset` (a label of <https://encoding.spec.whatwg.org>), without secrets. A byte
    /// order mark has the last word; an unknown label means UTF-8. What is no character becomes U+FFFD; one that was cut
    /// apart is left out.
    pub fn decoded(&self, charset: Option<&str>, scrubber: &Scrubber) -> String {
        let Decoded { text, clean } = decode::read(&self.bytes, charset, self.end(), scrubber);
        if clean {
            text
        } else {
            scrubber.ended_text(text, self.end())
        }
    }

    /// As JSON whose texts, names and numbers hold no secrets. A byte order mark, another character encoding and lone
    /// surrogates are put up with.
    pub fn json(&self, charset: Option<&str>, scrubber: &Scrubber) -> Result<Value, NotJson> {
        let Decoded { text, .. } = decode::read(&self.bytes, charset, self.end(), scrubber);
        json::read(&text).map(|value| scrubber.json(value))
    }

    fn end(&self) -> End {
        if self.cut { End::Cut } else { End::Whole }
    }
}
