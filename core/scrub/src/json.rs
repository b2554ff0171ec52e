//! JSON as servers write it: strict in its form, lenient where a text is no Unicode.

use std::borrow::Cow;

use serde_json::Value;

/// A text is not JSON. Says what was expected where, and nothing of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotJson(String);

/// Reads `text`.
pub(crate) fn read(text: &str) -> Result<Value, NotJson> {
    serde_json::from_str(&mended(text)).map_err(|error| NotJson(error.to_string()))
}

/// `text` with every escaped surrogate that stands alone replaced by U+FFFD, as decoders of other languages do.
fn mended(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut kept = 0_usize;
    let mut escapes = Escapes { text, at: 0 };
    while let Some((start, end)) = escapes.next_lone() {
        mended.push_str(text.get(kept..start).unwrap_or_default());
        mended.push_str("\\ufffd");
        kept = end;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(mended)
}

struct Escapes<'a> {
    text: &'a str,
    at: usize,
}

impl Escapes<'_> {
    /// Beginning and end of the next lone surrogate.
    fn next_lone(&mut self) -> Option<(usize, usize)> {
        loop {
            let found = self.text.get(self.at..)?.find('\\')?;
            let start = self.at.saturating_add(found);
            let Some(unit) = self.unit(start) else {
                // The backslash and what it escapes; a character of several bytes is no escape, and looked at again.
                self.at = start.saturating_add(2);
                while self.at < self.text.len() && !self.text.is_char_boundary(self.at) {
                    self.at = self.at.saturating_add(1);
                }
                continue;
            };
            let end = start.saturating_add(6);
            self.at = end;
            let paired = (0xD800..0xDC00).contains(&unit)
                && self.unit(end).is_some_and(|low| (0xDC00..0xE000).contains(&low));
            if paired {
                self.at = end.saturating_add(6);
            } else if (0xD800..0xE000).contains(&unit) {
                return Some((start, end));
            }
        }
    }

    /// The code unit of the escape at `place`, if there is one.
    fn unit(&self, place: usize) -> Option<u16> {
        let digits = self.text.get(place..)?.strip_prefix("\\u")?.get(..4)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain.then(|| u16::from_str_radix(digits, 16).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::high(r#""a\ud83d""#, "a\u{fffd}")]
    #[case::low(r#""\uDE00a""#, "\u{fffd}a")]
    #[case::wrong_order(r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}")]
    #[case::two_high(r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀")]
    #[case::pair(r#""\ud83d\ude00""#, "😀")]
    #[case::no_escape(r#""\\ud83d""#, "\\ud83d")]
    #[case::behind_a_backslash(r#""\\\ud83d""#, "\\\u{fffd}")]
    #[case::others(r#""\u00fc\n\"ü""#, "ü\n\"ü")]
    fn a_lone_surrogate_is_a_replacement_character(#[case] text: &str, #[case] meant: &str) {
        assert_eq!(read(text), Ok(json!(meant)));
    }

    #[rstest]
    #[case(r#"{"a": hunter2}"#)]
    #[case(r#"{"a": "\uzzzz hunter2"}"#)]
    #[case(r#"{"hunter2"#)]
    #[case("hunter2")]
    #[case("\"\\ü\"")]
    #[case("\\")]
    #[case(r#"{"a": 1} hunter2"#)]
    fn a_fault_quotes_nothing(#[case] text: &str) {
        let fault = read(text).unwrap_err().to_string();
        assert!(!fault.contains("hunter2") && fault.contains("line 1"), "{fault}");
    }
}
