//! A secret in a text, as encoders write it. For the tests of every crate that scrubs.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::pedantic,
    reason = "test code, of which each test uses its own part"
)]

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// How a secret is written.
#[derive(Debug, Clone, Copy)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// Base64 of all of the text, in lines of so many characters, 0 for one line.
    Base64(usize),
    /// The URL's alphabet, unpadded, of all of the text.
    Base64Url,
    /// Base64 of base64 of all of the text.
    Base64Twice,
    /// Hexadecimal digits of base64 of all of the text.
    HexOfBase64,
    /// Base64 of hexadecimal digits of all of the text.
    Base64OfHex,
    /// Base32 of all of the text.
    Base32,
    /// The same in small letters.
    Base32Lower,
    /// Hexadecimal digits of all of the text.
    Hex,
    /// As `openssl` prints them.
    HexColons,
    /// Numbers with this between them.
    List(fn(u8) -> String, &'static str),
    /// Each character in one of several ways, by chance.
    Chars(fn(char, u8) -> String),
    /// Escaped as JSON so many times.
    Json(usize),
    /// Two bytes to a letter.
    Utf16,
}

/// All that are covered.
pub const ENCODINGS: [Encoding; 30] = [
    Encoding::Plain,
    Encoding::Base64(0),
    Encoding::Base64(64),
    Encoding::Base64(76),
    Encoding::Base64(19),
    Encoding::Base64Url,
    Encoding::Base64Twice,
    Encoding::HexOfBase64,
    Encoding::Base64OfHex,
    Encoding::Base32,
    Encoding::Base32Lower,
    Encoding::Hex,
    Encoding::HexColons,
    Encoding::List(decimal, ","),
    Encoding::List(decimal, ", "),
    Encoding::List(decimal, " "),
    Encoding::List(hexadecimal, "-"),
    Encoding::List(hexadecimal, ", 0x"),
    Encoding::Chars(percent),
    Encoding::Chars(percent_all),
    Encoding::Chars(percent_twice),
    Encoding::Chars(form),
    Encoding::Chars(unicode),
    Encoding::Chars(unicode_twice),
    Encoding::Chars(html),
    Encoding::Chars(code),
    Encoding::Json(1),
    Encoding::Json(2),
    Encoding::Json(3),
    Encoding::Utf16,
];

/// A secret within a text.
#[derive(Debug)]
pub struct Encoded {
    text: Vec<u8>,
    own: Range<usize>,
}

impl Encoded {
    /// `secret` between two texts; `choices` decide where an encoding leaves a choice.
    pub fn new(encoding: Encoding, secret: &str, (before, after): (&str, &str), choices: &[u8]) -> Self {
        let secret = secret.trim();
        let joined = |secret: Vec<u8>| {
            let own = before.len()..before.len() + secret.len();
            let text = [before.as_bytes(), &secret, after.as_bytes()].concat();
            Self { text, own }
        };
        let all = [before, secret, after].concat();
        let range = before.len()..before.len() + secret.len();
        match encoding {
            Encoding::Plain => joined(secret.into()),
            Encoding::Base64(width) => wrapped(&STANDARD.encode(&all), six_bits(&range), width),
            Encoding::Base64Url => wrapped(&URL_SAFE_NO_PAD.encode(&all), six_bits(&range), 0),
            Encoding::Base64Twice => {
                let twice = STANDARD.encode(STANDARD.encode(&all));
                wrapped(&twice, six_bits(&six_bits(&range)), 0)
            }
            Encoding::HexOfBase64 => {
                let own = six_bits(&range);
                wrapped(&hex::encode(STANDARD.encode(&all)), own.start * 2..own.end * 2, 0)
            }
            Encoding::Base64OfHex => {
                let own = six_bits(&(range.start * 2..range.end * 2));
                wrapped(&STANDARD.encode(hex::encode_upper(&all)), own, 0)
            }
            Encoding::Base32 => wrapped(&base32(&all), five_bits(&range), 0),
            Encoding::Base32Lower => wrapped(&base32(&all).to_lowercase(), five_bits(&range), 0),
            Encoding::Hex => wrapped(&hex::encode(&all), range.start * 2..range.end * 2, 0),
            Encoding::HexColons => {
                let pairs: Vec<String> = all.bytes().map(|byte| format!("{byte:02X}")).collect();
                wrapped(&pairs.join(":"), range.start * 3..range.end * 3 - 1, 0)
            }
            Encoding::List(write, between) => {
                let numbers: Vec<String> = secret.bytes().map(write).collect();
                joined(numbers.join(between).into())
            }
            Encoding::Chars(write) => {
                let mut choices = choices.iter().cycle();
                let written = secret.chars().map(|c| write(c, *choices.next().unwrap()));
                joined(written.collect::<String>().into())
            }
            Encoding::Json(times) => joined((0..times).fold(secret.to_owned(), |text, _| json(&text)).into()),
            Encoding::Utf16 => joined(secret.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        }
    }

    /// The first five bytes in a row of the secret that are in `clean` and not there in their own right.
    pub fn leak(&self, clean: &[u8]) -> Option<String> {
        let innocent = [
            &self.text[..self.own.start],
            &self.text[self.own.end..],
            b"[secret]",
        ];
        let mut parts = self.text[self.own.clone()].windows(5);
        let leaked = parts.find(|part| holds(clean, part) && !innocent.iter().any(|text| holds(text, part)));
        leaked.map(|part| String::from_utf8_lossy(part).into_owned())
    }

    /// All of it.
    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The characters of base64 that these bytes alone decide.
fn six_bits(bytes: &Range<usize>) -> Range<usize> {
    (bytes.start * 8).div_ceil(6)..bytes.end * 8 / 6
}

fn five_bits(bytes: &Range<usize>) -> Range<usize> {
    (bytes.start * 8).div_ceil(5)..bytes.end * 8 / 5
}

/// RFC 4648, bit by bit.
fn base32(text: &str) -> String {
    let mut bits: Vec<u8> = text
        .bytes()
        .flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1))
        .collect();
    bits.resize(bits.len().next_multiple_of(5), 0);
    let numbers = bits
        .chunks(5)
        .map(|five| five.iter().fold(0, |number, bit| number * 2 + bit));
    let written: String = numbers
        .map(|number: u8| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from(number)]))
        .collect();
    written.clone() + &"=".repeat(written.len().next_multiple_of(8) - written.len())
}

fn wrapped(text: &str, own: Range<usize>, width: usize) -> Encoded {
    if width == 0 {
        return Encoded {
            text: text.into(),
            own,
        };
    }
    let place = |at: usize| at + at / width;
    let lines: Vec<&[u8]> = text.as_bytes().chunks(width).collect();
    let lines = lines.join(&b'\n');
    let own = place(own.start)..place(own.end.saturating_sub(1)) + 1;
    Encoded { text: lines, own }
}

fn decimal(byte: u8) -> String {
    byte.to_string()
}

fn hexadecimal(byte: u8) -> String {
    format!("{byte:02X}")
}

fn bytes(c: char, write: impl Fn(u8) -> String) -> String {
    c.encode_utf8(&mut [0; 4]).bytes().map(write).collect()
}

fn percent(c: char, choice: u8) -> String {
    let plain =
        c.is_ascii_alphanumeric() || "-_.~".contains(c) || (c.is_ascii_graphic() && c != '%' && choice > 200);
    if plain && choice > 20 {
        return c.to_string();
    }
    bytes(c, |byte| match choice % 2 {
        0 => format!("%{byte:02X}"),
        _ => format!("%{byte:02x}"),
    })
}

fn percent_all(c: char, _choice: u8) -> String {
    bytes(c, |byte| format!("%{byte:02X}"))
}

fn percent_twice(c: char, choice: u8) -> String {
    percent(c, choice).replace('%', "%25")
}

fn form(c: char, choice: u8) -> String {
    if c == ' ' {
        "+".to_owned()
    } else {
        percent(c, choice.max(21))
    }
}

fn unicode(c: char, choice: u8) -> String {
    if choice.is_multiple_of(3) && !"\"\\\n".contains(c) {
        return c.to_string();
    }
    let mut units = [0; 2];
    let units = c.encode_utf16(&mut units).iter();
    units
        .map(|unit| {
            if choice.is_multiple_of(2) {
                format!("\\u{unit:04x}")
            } else {
                format!("\\u{unit:04X}")
            }
        })
        .collect()
}

fn unicode_twice(c: char, choice: u8) -> String {
    unicode(c, choice).replace('\\', "\\\\")
}

fn html(c: char, choice: u8) -> String {
    let code = u32::from(c);
    match (c, choice % 4) {
        ('&', 0) => "&amp;".to_owned(),
        ('<', 0) => "&lt;".to_owned(),
        ('>', 0) => "&gt;".to_owned(),
        ('"', 0) => "&quot;".to_owned(),
        ('&' | '<' | '>' | '"', _) | (_, 1) => format!("&#{code};"),
        (_, 2) => format!("&#x{code:X};"),
        (_, _) => c.to_string(),
    }
}

/// As string literals of programming languages.
fn code(c: char, choice: u8) -> String {
    let code = u32::from(c);
    match choice % 4 {
        0 => bytes(c, |byte| format!("\\x{byte:02x}")),
        1 => bytes(c, |byte| format!("\\{byte:03o}")),
        2 => format!("\\u{{{code:x}}}"),
        _ if "\"\\'\n".contains(c) => json(&c.to_string()),
        _ => c.to_string(),
    }
}

fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}
