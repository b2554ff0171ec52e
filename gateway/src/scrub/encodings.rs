//! The forms in which a secret comes back: as it is, and as encoders write it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::{MIN_SECRET, is_break};

/// Lines of a secret with several lines (a private key) count as secrets of their own from this length on.
const MIN_LINE: usize = 16;
/// The shortest stretch of base64 that is looked for.
const MIN_BASE64: usize = 4;

/// Every pattern to look for, without line breaks.
pub(super) fn of(secret: &[u8]) -> Vec<Vec<u8>> {
    let trimmed = secret.trim_ascii();
    let lines = trimmed.split(|byte| is_break(*byte)).map(<[u8]>::trim_ascii);
    let several = lines.clone().nth(1).is_some();
    let mut forms = vec![secret, trimmed];
    forms.extend(lines.filter(|line| several && line.len() >= MIN_LINE));
    forms.retain(|form| form.len() >= MIN_SECRET);
    let patterns = forms.into_iter().flat_map(encoded);
    patterns
        .map(|pattern| {
            pattern
                .into_iter()
                .filter(|byte| !is_break(*byte))
                .collect::<Vec<u8>>()
        })
        .filter(|pattern| pattern.len() >= MIN_SECRET)
        .collect()
}

fn encoded(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut patterns = vec![secret.to_vec()];
    patterns.extend([hex::encode(secret), hex::encode_upper(secret)].map(String::into_bytes));
    for upper in [true, false] {
        patterns.extend([
            percent(secret, upper, |_| false),
            percent(secret, upper, |byte| byte.is_ascii_alphanumeric()),
            percent(secret, upper, |byte| {
                byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte)
            }),
            percent(secret, upper, |byte| {
                byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
            }),
            percent(secret, upper, |byte| {
                byte.is_ascii_alphanumeric() || b"-_.*+".contains(&byte)
            }),
            percent(secret, upper, |byte| {
                byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte)
            }),
            percent(secret, upper, |byte| {
                byte.is_ascii_graphic() && !b"\"#%<>?`{}".contains(&byte)
            }),
        ]);
    }
    patterns.push(form(secret));
    patterns.extend(base64(secret));
    if let Ok(text) = std::str::from_utf8(secret) {
        patterns.extend(json(text));
    }
    patterns
}

fn percent(secret: &[u8], upper: bool, keep: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(secret.len());
    for &byte in secret {
        if keep(byte) {
            text.push(byte);
        } else {
            let escape = if upper {
                format!("%{byte:02X}")
            } else {
                format!("%{byte:02x}")
            };
            text.extend(escape.into_bytes());
        }
    }
    text
}

/// `application/x-www-form-urlencoded`, where a space is a plus.
fn form(secret: &[u8]) -> Vec<u8> {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.* ".contains(&byte);
    percent(secret, true, keep)
        .into_iter()
        .map(|byte| if byte == b' ' { b'+' } else { byte })
        .collect()
}

/// Base64 of a text that has the secret somewhere in it: for each of the three alignments the part that the secret alone
/// decides, and the whole as it stands at the end of a text.
fn base64(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut patterns = Vec::new();
    for before in 0..3_usize {
        let padded = [vec![0; before].as_slice(), secret].concat();
        let open_end = !padded.len().is_multiple_of(3);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            let foreign = [0, 2, 3].get(before).copied().unwrap_or(0);
            let Some(whole) = text.as_bytes().get(foreign..) else {
                continue;
            };
            let core = whole
                .get(..whole.len().saturating_sub(usize::from(open_end)))
                .unwrap_or_default();
            for part in [whole, core] {
                patterns.push(part.to_vec());
                if part.iter().any(|byte| b"+/".contains(byte)) {
                    patterns.push(percent(part, true, |byte| byte.is_ascii_alphanumeric()));
                }
            }
        }
    }
    patterns.retain(|pattern| pattern.len() >= MIN_BASE64);
    patterns
}

/// Inside a JSON string, as the usual writers escape it.
fn json(secret: &str) -> Vec<Vec<u8>> {
    let plain = escape(secret, |_| false, false);
    let slashes = plain.replace('/', "\\/");
    let html = |c: char| {
        matches!(
            c,
            '<' | '>' | '&' | '\'' | '+' | '=' | '\u{2028}' | '\u{2029}' | '\u{7f}'
        )
    };
    let mut forms = vec![plain, slashes];
    for upper in [true, false] {
        forms.push(escape(
            secret,
            |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
            upper,
        ));
        forms.push(escape(secret, html, upper));
        forms.push(escape(secret, |c| !c.is_ascii(), upper));
        forms.push(escape(secret, |c| !c.is_ascii() || html(c), upper));
    }
    // Text that was escaped twice, as in a JSON document inside a JSON string.
    let twice: Vec<String> = forms.iter().map(|form| escape(form, |_| false, false)).collect();
    forms.into_iter().chain(twice).map(String::into_bytes).collect()
}

fn escape(text: &str, also: impl Fn(char) -> bool, upper: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            _ if c < ' ' || also(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string can't fail.
                    let _ = if upper {
                        write!(escaped, "\\u{unit:04X}")
                    } else {
                        write!(escaped, "\\u{unit:04x}")
                    };
                }
            }
            _ => escaped.push(c),
        }
    }
    escaped
}
