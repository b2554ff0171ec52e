//! Text in the character encoding that its sender declared.

use encoding_rs::{CoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::Scrubber;
use crate::stream::End;

/// Whether a byte order mark says how to read `bytes`.
pub(crate) fn is_marked(bytes: &[u8]) -> bool {
    Encoding::for_bom(bytes).is_some()
}

/// Text, as it was read; what of it is scrubbed already.
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) clean: bool,
}

/// `bytes` as text. Where the declared encoding would hide a secret from the scrubber, as UTF-16 hides ASCII, it is not believed;
/// and bytes that are no characters are scrubbed before they are replaced.
pub(crate) fn read(bytes: &[u8], charset: Option<&str>, end: End, scrubber: &Scrubber) -> Decoded {
    let declared = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let mut encoding = marked.or(declared).unwrap_or(UTF_8);
    let mut clean = false;
    let text = if encoding == UTF_8 && std::str::from_utf8(bytes).is_ok() {
        decoded(bytes, UTF_8, end)
    } else if is_wide(encoding) && !holds_narrow(bytes, scrubber) {
        decoded(bytes, encoding, end)
    } else {
        if is_wide(encoding) {
            encoding = UTF_8;
        }
        clean = encoding == UTF_8;
        decoded(&scrubber.ended(bytes.to_vec(), end), encoding, end)
    };
    Decoded { text, clean }
}

fn is_wide(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// Whether a secret stands in `bytes` with one byte for a letter.
fn holds_narrow(bytes: &[u8], scrubber: &Scrubber) -> bool {
    let opaque: Vec<u8> = bytes.iter().map(|byte| (*byte).max(1)).collect();
    scrubber.finds(&opaque)
}

fn decoded(bytes: &[u8], encoding: &'static Encoding, end: End) -> String {
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let (result, read, _) = decoder.decode_to_string(rest, &mut text, end == End::Whole);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            CoderResult::InputEmpty => return text,
            CoderResult::OutputFull => text.reserve(rest.len().max(64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[rstest]
    #[case::utf8(b"\xc3\xbc".to_vec(), None, "ü")]
    #[case::byte_order_mark(b"\xef\xbb\xbf\xc3\xbc".to_vec(), None, "ü")]
    #[case::latin1(b"\xfc".to_vec(), Some("latin1"), "ü")]
    #[case::upper(b"\xfc".to_vec(), Some("ISO-8859-1"), "ü")]
    #[case::japanese(b"\x82\xa0".to_vec(), Some("shift_jis"), "あ")]
    #[case::wide(wide("\u{feff}ü😀", u16::to_le_bytes), None, "ü😀")]
    #[case::wide_other(wide("\u{feff}ü😀", u16::to_be_bytes), None, "ü😀")]
    #[case::wide_declared(wide("ü", u16::to_be_bytes), Some("utf-16be"), "ü")]
    #[case::the_mark_is_right(b"\xef\xbb\xbf\xc3\xbc".to_vec(), Some("latin1"), "ü")]
    #[case::unknown(b"\xc3\xbc".to_vec(), Some("klingon"), "ü")]
    #[case::invalid(b"a\xffb".to_vec(), None, "a\u{fffd}b")]
    fn text_is_read_as_declared(#[case] bytes: Vec<u8>, #[case] charset: Option<&str>, #[case] text: &str) {
        assert_eq!(read(&bytes, charset, End::Whole, &Scrubber::default()).text, text);
    }

    #[rstest]
    #[case(b"a\xc3".to_vec(), None)]
    #[case(b"a\0\xfc".to_vec(), Some("utf-16le"))]
    #[case(b"a\x82".to_vec(), Some("shift_jis"))]
    fn a_character_that_was_cut_apart_is_left_out(#[case] bytes: Vec<u8>, #[case] charset: Option<&str>) {
        let read = |end| read(&bytes, charset, end, &Scrubber::default()).text;
        assert_eq!(read(End::Cut), "a");
        assert_eq!(read(End::Whole), "a\u{fffd}");
    }

    #[rstest]
    #[case::wide("utf-16")]
    #[case::narrow("latin1")]
    #[case::none("utf-8")]
    fn a_declared_encoding_does_not_hide_a_secret(#[case] charset: &str) {
        let scrubber = Scrubber::new(["hünter2-hunter2!".as_bytes()]);
        let bytes = [b"\xff ".as_slice(), "hünter2-hunter2!.".as_bytes()].concat();
        let text = read(&bytes, Some(charset), End::Whole, &scrubber).text;
        assert!(text.ends_with(" [secret]."), "{text}");
        let wide = wide("is hünter2-hunter2!", u16::to_le_bytes);
        let text = read(&wide, Some("utf-16"), End::Whole, &scrubber).text;
        assert_eq!(text, "is hünter2-hunter2!");
    }
}
