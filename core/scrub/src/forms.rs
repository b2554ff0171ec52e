//! The forms in which a secret is looked for: as it is, and as encoders of whole bytes write it.
//!
//! Escapes of single characters are no forms: [`crate::spelling`] reads them wherever they stand.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::is_overlooked;

/// Shorter fields are not looked for: they would be found everywhere.
const SHORTEST: usize = 4;
/// Lines of a secret with several lines (a private key) count as secrets of their own from this length on.
const SHORTEST_LINE: usize = 16;
/// Longer secrets are not looked for as digits with something between them: nobody prints a key like that.
const LONGEST_PARTED: usize = 512;
/// What stands between bytes that are written in hexadecimal, and in decimal, as lists of numbers are.
const BETWEEN_HEXADECIMAL: [&str; 5] = [":", " ", "-", ",0x", ", 0x"];
const BETWEEN_DECIMAL: [&str; 3] = [",", ", ", " "];

/// One text to look for.
pub(crate) type Form = Zeroizing<Vec<u8>>;

/// Every form of `secret`.
pub(crate) fn of(secret: &[u8]) -> Vec<Form> {
    let trimmed = secret.trim_ascii();
    let lines = trimmed
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .map(<[u8]>::trim_ascii);
    let several = lines.clone().nth(1).is_some();
    let lines = lines.filter(|line| several && line.len() >= SHORTEST_LINE);
    std::iter::once(trimmed)
        .chain(lines)
        .filter(|text| text.len() >= SHORTEST)
        .flat_map(encoded)
        .map(without_overlooked)
        .filter(|form| form.len() >= SHORTEST)
        .collect()
}

fn without_overlooked(mut form: Form) -> Form {
    form.retain(|byte| !is_overlooked(*byte));
    form
}

fn encoded(secret: &[u8]) -> Vec<Form> {
    let mut forms = vec![Zeroizing::new(secret.to_vec())];
    forms.extend(digits(secret));
    forms.extend(base64(secret));
    if let Ok(text) = std::str::from_utf8(secret) {
        let wide = |bytes: fn(u16) -> [u8; 2]| -> Form {
            Zeroizing::new(text.encode_utf16().flat_map(bytes).collect())
        };
        forms.extend(base64(&wide(u16::to_le_bytes)));
        // Of ASCII it is the text itself and NULs, which are overlooked.
        if !text.is_ascii() {
            forms.extend([wide(u16::to_le_bytes), wide(u16::to_be_bytes)]);
        }
    }
    forms
}

/// Hexadecimal digits, together and parted, and lists of decimal numbers.
fn digits(secret: &[u8]) -> Vec<Form> {
    let whole = [hex::encode(secret), hex::encode_upper(secret)];
    let mut forms: Vec<Form> = whole
        .into_iter()
        .map(|digits| Zeroizing::new(digits.into_bytes()))
        .collect();
    if secret.len() <= LONGEST_PARTED {
        let lower = |between| parted(secret, between, |byte| format!("{byte:02x}"));
        let upper = |between| parted(secret, between, |byte| format!("{byte:02X}"));
        let decimal = |between| parted(secret, between, |byte| byte.to_string());
        forms.extend(
            BETWEEN_HEXADECIMAL
                .into_iter()
                .flat_map(|between| [lower(between), upper(between)]),
        );
        forms.extend(BETWEEN_DECIMAL.into_iter().map(decimal));
    }
    forms
}

fn parted(secret: &[u8], between: &str, write: impl Fn(u8) -> String) -> Form {
    let mut text = Zeroizing::new(Vec::with_capacity(secret.len().saturating_mul(6)));
    for byte in secret {
        if !text.is_empty() {
            text.extend_from_slice(between.as_bytes());
        }
        text.extend_from_slice(Zeroizing::new(write(*byte)).as_bytes());
    }
    text
}

/// Base64 of a text that has the secret somewhere in it: for each of the three alignments the part that the secret alone
/// decides, and the whole as it stands at the end of a text.
fn base64(secret: &[u8]) -> Vec<Form> {
    let mut forms = Vec::new();
    for before in 0..3_usize {
        let padded = Zeroizing::new([vec![0; before].as_slice(), secret].concat());
        let open_end = !padded.len().is_multiple_of(3);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = Zeroizing::new(engine.encode(padded.as_slice()).into_bytes());
            let foreign = [0, 2, 3].get(before).copied().unwrap_or(0);
            let whole = text.get(foreign..).unwrap_or_default();
            let own = whole.len().saturating_sub(usize::from(open_end));
            forms.push(Zeroizing::new(whole.to_vec()));
            forms.push(Zeroizing::new(whole.get(..own).unwrap_or_default().to_vec()));
        }
    }
    forms
}
