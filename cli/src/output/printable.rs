//! Text of others on a terminal.

use std::borrow::Cow;

/// `text` without what could drive a terminal or reorder what is shown: control characters except line feed and tab, and the
/// bidirectional controls become visible escapes.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn is_unsafe(c: char) -> bool {
    let bidirectional =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    bidirectional || (c.is_control() && !matches!(c, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn ordinary_text_is_left_alone() {
        assert_eq!(printable("größe\n\tok 你好"), "größe\n\tok 你好");
    }

    #[test]
    fn escapes_and_bidirectional_controls_become_visible() {
        assert_eq!(printable("\u{1b}[2Jhi\r"), "\\u{1b}[2Jhi\\u{d}");
        assert_eq!(printable("a\u{202e}b\u{9b}c"), "a\\u{202e}b\\u{9b}c");
    }
}
