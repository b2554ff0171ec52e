//! The forms in which a secret is looked for: as it is, and as encoders of whole bytes write it.
//!
//! Escapes of single characters are no forms: [`crate::spelling`] reads them wherever they stand.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::is_overlooked;

/// Shorter fields are not looked for: they would be found everywhere.
const SHORTEST: usize = 4;
/// Lines of a secret with several lines (a private key) count as secrets of their own from this length on.
const SHORTEST_LINE: usize = 16;
/// Longer secrets are not looked for as digits with something between them: nobody prints a key like that.
const LONGEST_PARTED: usize = 512;
/// Longer secrets are not looked for in two encodings, one within the other.
const LONGEST_TWICE: usize = 4096;
/// What stands between bytes that are written in hexadecimal, and in decimal, as lists of numbers are.
const BETWEEN_HEXADECIMAL: [&str; 5] = [":", " ", "-", ",0x", ", 0x"];
const BETWEEN_DECIMAL: [&str; 3] = [",", ", ", " "];

/// One text to look for.
pub(crate) type Form = Zeroizing<Vec<u8>>;

/// A form, and how it is looked for.
pub(crate) struct Sought {
    pub(crate) text: Form,
    /// Many forms begin with one letter or another. Of those that hardly anybody writes, a few characters at the end of a text that was
    /// cut are no reason to drop them.
    pub(crate) is_remote: bool,
}

/// Every form of `secret`.
pub(crate) fn of(secret: &[u8]) -> Vec<Sought> {
    let trimmed = secret.trim_ascii();
    let lines = trimmed
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .map(<[u8]>::trim_ascii);
    let several = lines.clone().nth(1).is_some();
    let lines = lines.filter(|line| several && line.len() >= SHORTEST_LINE);
    std::iter::once(trimmed)
        .chain(lines)
        .filter(|text| text.len() >= SHORTEST)
        .flat_map(|text| {
            let near = encoded(text).into_iter().map(|form| (form, false));
            near.chain(remote(text).into_iter().map(|form| (form, true)))
        })
        .map(|(form, is_remote)| Sought {
            text: without_overlooked(form),
            is_remote,
        })
        .filter(|form| form.text.len() >= SHORTEST)
        .collect()
}

fn without_overlooked(mut form: Form) -> Form {
    form.retain(|byte| !is_overlooked(*byte));
    form
}

fn encoded(secret: &[u8]) -> Vec<Form> {
    let mut forms = vec![Zeroizing::new(secret.to_vec())];
    forms.extend(digits(secret));
    forms.extend(both(base64(secret)));
    if let Ok(text) = std::str::from_utf8(secret) {
        let wide = |bytes: fn(u16) -> [u8; 2]| -> Form {
            Zeroizing::new(text.encode_utf16().flat_map(bytes).collect())
        };
        forms.extend(both(base64(&wide(u16::to_le_bytes))));
        // Of ASCII it is the text itself and NULs, which are overlooked.
        if !text.is_ascii() {
            forms.extend([wide(u16::to_le_bytes), wide(u16::to_be_bytes)]);
        }
    }
    forms
}

/// What is written so seldom.
fn remote(secret: &[u8]) -> Vec<Form> {
    let mut forms: Vec<Form> = both(base32(secret)).collect();
    if secret.len() <= LONGEST_TWICE {
        forms.extend(twice(secret));
    }
    forms
}

/// Base64 and hexadecimal digits, again in base64 or hexadecimal digits: a header's `Basic` within a body that is base64.
fn twice(secret: &[u8]) -> Vec<Form> {
    let once = |text: &[u8]| -> Vec<Form> {
        let digits = [hex::encode(text), hex::encode_upper(text)];
        let digits = digits
            .into_iter()
            .map(|digits| Zeroizing::new(digits.into_bytes()));
        base64(text).map(|form| form.decided).chain(digits).collect()
    };
    once(secret).iter().flat_map(|inner| once(inner)).collect()
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

/// The two forms of a secret within a text that is encoded as a whole.
struct Within {
    /// What the secret alone decides.
    decided: Form,
    /// The same as it stands at the end of a text.
    ending: Form,
}

/// A secret within a text that is encoded in groups of bytes, `bits` to a character: once for each number of bytes of its group that may
/// stand before it. `foreign` says how many characters those have a part in.
fn aligned(secret: &[u8], bits: usize, foreign: &[usize], encode: impl Fn(&[u8]) -> String) -> Vec<Within> {
    let forms = foreign.iter().enumerate().map(|(before, foreign)| {
        let padded = Zeroizing::new([vec![0; before].as_slice(), secret].concat());
        let text = Zeroizing::new(encode(&padded).into_bytes());
        let whole = padded
            .len()
            .saturating_mul(8)
            .checked_div(bits)
            .unwrap_or_default();
        let part = |end: usize| Zeroizing::new(text.get(*foreign..end).unwrap_or_default().to_vec());
        Within {
            decided: part(whole),
            ending: part(text.len()),
        }
    });
    forms.collect()
}

/// Base64 of either alphabet.
fn base64(secret: &[u8]) -> impl Iterator<Item = Within> {
    let engines = [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD].into_iter();
    engines.flat_map(move |engine| aligned(secret, 6, &[0, 2, 3], |text| engine.encode(text)))
}

/// Base32 in letters of either case.
fn base32(secret: &[u8]) -> impl Iterator<Item = Within> {
    let cases: [fn(&[u8]) -> String; 2] = [
        |text| BASE32_NOPAD.encode(text),
        |text| BASE32_NOPAD.encode(text).to_ascii_lowercase(),
    ];
    cases
        .into_iter()
        .flat_map(move |encode| aligned(secret, 5, &[0, 2, 4, 5, 7], encode))
}

fn both(forms: impl Iterator<Item = Within>) -> impl Iterator<Item = Form> {
    forms.flat_map(|form| [form.decided, form.ending])
}
