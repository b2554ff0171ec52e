//! Text from the wire that may hold a secret.

use crate::scrub::Scrubber;

/// It can be neither shown nor cut before it was scrubbed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tainted {
    text: String,
    is_cut: bool,
}

impl Tainted {
    /// Of which the end was left out, maybe in the middle of a secret.
    pub fn cut(text: String) -> Self {
        Self { text, is_cut: true }
    }

    /// Without secrets.
    pub fn text(&self, scrubber: &Scrubber) -> String {
        if self.is_cut {
            let certain = scrubber.stream().push(self.text.as_bytes());
            return String::from_utf8_lossy(&certain).into_owned();
        }
        scrubber.text(&self.text)
    }
}

impl From<String> for Tainted {
    fn from(text: String) -> Self {
        Self { text, is_cut: false }
    }
}

impl From<&str> for Tainted {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl std::fmt::Debug for Tainted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tainted")
    }
}
