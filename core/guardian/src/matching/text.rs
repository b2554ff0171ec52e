//! What is refused in text of every kind: characters that people do not see and that readers treat differently.

use serde_json::Value;

use super::{NotCanonical, PatternFault};

/// The longest text that is compared with patterns.
pub(crate) const MAX_TEXT: usize = 4096;

/// The longest pattern.
const MAX_PATTERN: usize = 1024;

/// The text of a value that must be one.
pub(super) fn of(value: &Value) -> Result<&str, NotCanonical> {
    value.as_str().ok_or_else(|| "is not a string".into())
}

/// The text of a pattern that must be one.
pub(super) fn pattern(pattern: &Value) -> Result<&str, PatternFault> {
    let text = pattern
        .as_str()
        .ok_or_else(|| format!("{pattern} is not a string; write the pattern in quotes"))?;
    if text.is_empty() {
        return Err("the pattern is empty; remove it or say what it permits".to_owned());
    }
    if text.len() > MAX_PATTERN {
        return Err(format!(
            "the pattern is longer than {MAX_PATTERN} bytes; split it into several"
        ));
    }
    match text.chars().find(|c| is_hidden(*c)) {
        Some(c) => Err(format!(
            "the pattern holds the invisible character {}; remove it",
            c.escape_unicode()
        )),
        None => Ok(text),
    }
}

/// Refuses text that is too long or holds characters that nobody sees.
pub(super) fn visible(text: &str) -> Result<(), NotCanonical> {
    if text.len() > MAX_TEXT {
        return Err("is too long to be compared with a pattern".into());
    }
    // Almost every value is plain ASCII, for which a look at its bytes is enough.
    let hidden = if text.is_ascii() {
        // Without an early end, so that many bytes are looked at at once.
        text.bytes().fold(false, |found, b| found | b.is_ascii_control())
    } else {
        text.chars().any(is_hidden)
    };
    if hidden {
        Err("holds a control character or one that is invisible".into())
    } else {
        Ok(())
    }
}

/// Whether other readers may take the character for a dot, a slash, a backslash or a percent sign, alone or with what comes with it:
/// by compatibility (NFKC: `℀` is `a/c`, `⒈` is `1.`) or by the best fit of a code page (`¥` is a backslash).
pub(crate) fn folds_to_separator(c: char) -> bool {
    matches!(
        c,
        '\u{2024}'
            ..='\u{2026}' | '\u{fe52}' | '\u{ff0e}' | '\u{fe19}' | '\u{fe30}' | '\u{3002}' | '\u{ff61}' // dots
        | '\u{2488}'..='\u{249b}' | '\u{33c2}' | '\u{33d8}' | '\u{1f100}' // dots after something else
        | '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{ff0f}' // slashes
        | '\u{2100}' | '\u{2101}' | '\u{2105}' | '\u{2106}' // slashes between letters
        | '\u{2216}' | '\u{29f5}' | '\u{29f9}' | '\u{fe68}' | '\u{ff3c}' | '\u{a5}' | '\u{20a9}' | '\u{ffe5}' | '\u{ffe6}' // backslashes
        | '\u{fe6a}' | '\u{ff05}' // percent signs
    )
}

/// Control, bidirectional, zero-width, filler, tag and non-characters.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
        || (c as u32) & 0xfffe == 0xfffe
}
