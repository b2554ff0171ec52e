//! What a scrubber finds, and what it leaves.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::pedantic,
    reason = "test code: a failure here is a failed test"
)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use monstrum_scrub::{End, MARK, Scrubber, Tainted};
use rstest::rstest;
use serde_json::json;

const SECRET: &str = "ghp_s3cr3t/+=\"\\ ü~token";

fn scrubber(secrets: &[&str]) -> Scrubber {
    Scrubber::new(secrets.iter().map(|secret| secret.as_bytes()))
}

fn percent_all(text: &str) -> String {
    text.bytes()
        .fold(String::new(), |text, byte| text + &format!("%{byte:02x}"))
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[rstest]
#[case::plain(SECRET.to_owned())]
#[case::hex(hex::encode(SECRET))]
#[case::hex_upper(hex::encode_upper(SECRET))]
#[case::hex_colons(hex::encode(SECRET).as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(":"))]
#[case::base64(STANDARD.encode(SECRET))]
#[case::base64_url(URL_SAFE.encode(SECRET))]
#[case::base64_url_unpadded(URL_SAFE_NO_PAD.encode(SECRET))]
#[case::basic_auth(STANDARD.encode(format!("u:{SECRET}")))]
#[case::basic_auth_other_alignment(STANDARD.encode(format!("me:{SECRET}")))]
#[case::basic_auth_third_alignment(STANDARD.encode(format!("you:{SECRET}!")))]
#[case::base64_of_utf16(STANDARD.encode(wide(SECRET)))]
#[case::base64_in_json(STANDARD.encode(SECRET).replace('/', "\\/").replace('+', "\\u002b"))]
#[case::base64_in_a_url(STANDARD.encode(SECRET).replace('/', "%2F").replace('+', "%2b"))]
#[case::percent(percent_encoding::utf8_percent_encode(SECRET, percent_encoding::NON_ALPHANUMERIC).to_string())]
#[case::percent_all(percent_all(SECRET))]
#[case::percent_twice(percent_all(SECRET).replace('%', "%25"))]
#[case::form("ghp_s3cr3t%2F%2B%3D%22%5C+%C3%BC~token".to_owned())]
#[case::json(serde_json::to_string(SECRET).unwrap())]
#[case::json_in_json(serde_json::to_string(&serde_json::to_string(SECRET).unwrap()).unwrap())]
#[case::json_ascii(r#"ghp_s3cr3t/+=\"\\ \u00fc~token"#.to_owned())]
#[case::json_slashes(r#"ghp_s3cr3t\/+=\"\\ ü~token"#.to_owned())]
#[case::html("ghp_s3cr3t/+=&quot;\\ &uuml;~token".replace("&uuml;", "&#252;"))]
#[case::html_twice("ghp_s3cr3t/+=&amp;quot;\\ &amp;#xfc;~token".to_owned())]
#[case::shell(r#"ghp_s3cr3t/+=\"\\\ ü\~token"#.to_owned())]
fn every_encoding_is_found(#[case] encoded: String) {
    let text = format!("before <{encoded}> after");
    let clean = scrubber(&[SECRET]).text(&text);
    assert!(clean.contains(MARK), "{clean}");
    assert!(
        clean.starts_with("before <") && clean.ends_with("> after"),
        "{clean}"
    );
    // What may stay is a character or two that the secret's neighbours decide as well.
    assert!(
        clean.len() <= "before <123456[secret]123456> after".len(),
        "{clean}"
    );
    assert!(!clean.contains("s3cr3t"), "{clean}");
}

#[rstest]
#[case::newline("\n")]
#[case::carriage_return("\r\n")]
#[case::indented("\n    ")]
#[case::escaped("\\n")]
fn a_wrapped_base64_is_found(#[case] wrap: &str) {
    let long = "x1y2z3".repeat(30);
    let wrapped: Vec<String> = STANDARD
        .encode(&long)
        .as_bytes()
        .chunks(76)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let clean = scrubber(&[&long]).text(&format!("key:\n{}\n", wrapped.join(wrap)));
    assert_eq!(clean, format!("key:\n{MARK}\n"));
}

#[test]
fn utf16_is_found() {
    let clean = scrubber(&["hunter2-hunter2"]).bytes(&wide("is hunter2-hunter2."));
    assert_eq!(
        clean,
        [wide("is ").as_slice(), MARK.as_bytes(), b"\0.\0"].concat()
    );
}

#[test]
fn one_line_of_a_key_is_found() {
    let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----\n";
    let clean = scrubber(&[key]).text("grep: AQEFAASCBKcwggSjAgEAAoIB");
    assert_eq!(clean, format!("grep: {MARK}"));
    for form in [
        key.to_owned(),
        key.trim().replace('\n', "\r\n"),
        key.trim().replace('\n', "\\n"),
    ] {
        let clean = scrubber(&[key]).text(&form);
        assert_eq!(clean.trim(), MARK);
    }
}

#[test]
fn a_part_of_a_long_secret_is_found() {
    let long: String = (0..300_u32)
        .map(|i| char::from_digit(i * i % 36 % 31, 36).unwrap())
        .collect();
    let clean = scrubber(&[&long]).text(&format!("<{}>", &long[..200]));
    assert!(clean.starts_with("<[secret]") && clean.len() < 80, "{clean}");
}

#[test]
fn overlapping_secrets_are_one_mark() {
    assert_eq!(
        scrubber(&["abcdef", "defghi"]).text("-abcdefghi-"),
        format!("-{MARK}-")
    );
}

#[test]
fn a_secret_within_another_leaves_nothing_of_it() {
    assert_eq!(
        scrubber(&["abcd", "xxabcdyy"]).text("xxabcdyy abcd"),
        format!("{MARK} {MARK}")
    );
}

#[test]
fn a_secret_that_begins_another_leaves_nothing_of_it() {
    let scrubber = scrubber(&["abcd", "abcdefgh", "cdefghij"]);
    assert_eq!(
        scrubber.text("abcdefgh abcdex abcdefghij"),
        "[secret] [secret]ex [secret]"
    );
}

#[test]
fn blanks_around_a_secret_do_not_hide_it() {
    for secret in ["tok-12345\n", "  tok-12345\r\n", "\ttok-12345"] {
        assert_eq!(scrubber(&[secret]).text("is tok-12345."), format!("is {MARK}."));
    }
}

#[rstest]
#[case::short("abc")]
#[case::empty("")]
#[case::blank("        ")]
#[case::short_but_for_blanks("  abc\n\n")]
#[case::breaks("a\n\n\nb")]
fn fields_of_fewer_than_four_bytes_are_not_looked_for(#[case] secret: &str) {
    let text = "abc a b\n        abc ab";
    assert_eq!(scrubber(&[secret]).text(text), text);
}

#[test]
fn the_same_letter_many_times_is_found() {
    for count in [4, 64, 65, 1000] {
        let secret = "a".repeat(count);
        let clean = scrubber(&[&secret]).text(&format!("<{}> aaa", "a".repeat(count * 2)));
        assert_eq!(clean, "<[secret]> aaa");
    }
}

#[rstest]
#[case::percent("%6")]
#[case::percent_sign("%")]
#[case::backslash("\\")]
#[case::unicode("\\u00")]
#[case::entity("&#x")]
#[case::ampersand("&amp")]
fn what_stands_before_does_not_hide_a_secret(#[case] before: &str) {
    let scrubber = scrubber(&["abc\"def<ghi 1"]);
    for encoded in [
        "abc\"def<ghi 1",
        "abc\\\"def<ghi 1",
        "abc%22def%3Cghi%201",
        "abc&quot;def&lt;ghi 1",
    ] {
        let clean = scrubber.text(&format!("{before}{encoded}."));
        assert_eq!(clean, format!("{before}{MARK}."), "{encoded}");
    }
}

#[test]
fn text_that_was_scrubbed_stays_as_it_is() {
    let scrubber = scrubber(&["secret", "cret", "[sec", "hunter2-hunter2"]);
    let once = scrubber.text("a secret, hunter2-hunter2, [secret]");
    assert_eq!(once, "a [secret], [secret], [secret]");
    assert_eq!(scrubber.text(&once), once);
}

#[test]
fn a_tail_that_could_begin_a_secret_is_dropped_where_text_was_cut() {
    let scrubber = scrubber(&["hunter2-hunter2"]);
    let text = "is hunter2-hunter2";
    for end in 0..text.len() {
        let mut cut = Tainted::default();
        assert!(!cut.take_up_to(end, text.as_bytes()));
        assert_eq!(cut.text(&scrubber), &text[..end.min(3)]);
        assert_eq!(cut.bytes(&scrubber), &text.as_bytes()[..end.min(3)]);
    }
    assert_eq!(Tainted::from(&text[..10]).text(&scrubber), "is hunter2");
    assert_eq!(Tainted::from(text).text(&scrubber), "is [secret]");
}

/// The last letter of a text is the first one of some form or other; of those that are written, it may be of a secret.
#[test]
fn a_letter_that_only_a_remote_form_begins_with_is_no_tail() {
    let secret = "hunter2-hunter2";
    let scrubber = scrubber(&[secret]);
    let twice = STANDARD.encode(STANDARD.encode(secret));
    let cut = |text: &str| {
        let mut stream = scrubber.stream();
        let mut clean = stream.push(text.as_bytes());
        clean.extend(stream.finish(End::Cut));
        String::from_utf8(clean).unwrap()
    };
    assert_eq!(cut(&format!("is {}", &twice[..2])), format!("is {}", &twice[..2]));
    assert_eq!(cut(&format!("is {}", &twice[..6])), "is ");
    assert_eq!(cut("is hu"), "is ");
}

#[test]
fn bytes_that_are_no_text_come_whole_or_not_at_all() {
    let scrubber = scrubber(&["hunter2-hunter2"]);
    let image = b"\x89PNG\0\r\n".as_slice();
    assert_eq!(
        Tainted::from(image).bytes_if_clean(&scrubber).as_deref(),
        Some(image)
    );
    let echo = Tainted::from([image, b"hunter2-hunter2"].concat());
    assert_eq!(echo.bytes_if_clean(&scrubber), None);
    let mut cut = Tainted::from(image);
    cut.cut();
    assert_eq!(cut.bytes_if_clean(&scrubber), None);
}

#[rstest]
#[case::unicode(r"is \u0068unter2-hunter2", 3)]
#[case::percent("is %2568unter2-hunter2", 3)]
#[case::entity("is &amp;#104;unter2-hunter2", 3)]
fn half_an_escape_is_dropped_as_well(#[case] text: &str, #[case] clean: usize) {
    let scrubber = scrubber(&["hunter2-hunter2"]);
    for end in clean..text.len() {
        let mut cut = Tainted::default();
        cut.take_up_to(end, text.as_bytes());
        assert_eq!(cut.text(&scrubber), &text[..clean], "{}", &text[..end]);
    }
}

#[test]
fn nothing_is_taken_behind_a_cut() {
    let mut text = Tainted::default();
    assert!(!text.take_up_to(3, b"abcd"));
    assert!(!text.take_up_to(100, b"efgh"));
    assert_eq!((text.len(), text.is_cut()), (3, true));
    assert_eq!(format!("{text:?}"), "Tainted { len: 3, cut: true }");
}

/// A target's answer, a webhook's body, what a runner says: whoever reads it again must find the same.
#[test]
fn a_key_of_the_json_library_is_a_key_like_any_other() {
    let text = r#"{"a":{"$serde_json::private::RawValue":"[1]"},"$serde_json::private::Number":"7"}"#;
    for scrubber in [Scrubber::default(), scrubber(&["hunter2-hunter2"])] {
        let read = Tainted::from(text).json(None, &scrubber).unwrap();
        assert_eq!(read.to_string().len(), text.len(), "{read}");
        assert!(read["a"].is_object() && read.is_object(), "{read}");
    }
}

#[test]
fn json_is_scrubbed_behind_its_escapes() {
    let scrubber = scrubber(&["hunter2-\"hunter2", "12345678"]);
    let body = r#"{"a": ["hunter2-\"hunter2"], "hunter2-\u0022hunter2": 12345678, "n": 12, "b": null}"#;
    assert_eq!(
        Tainted::from(body).json(None, &scrubber).unwrap(),
        json!({ "a": [MARK], MARK: MARK, "n": 12, "b": null })
    );
}

#[rstest]
#[case::mark(b"\xef\xbb\xbf{\"a\":\"\xc3\xbc\"}", None)]
#[case::latin1(b"{\"a\":\"\xfc\"}", Some("latin1"))]
#[case::wide(b"\xff\xfe{\0\"\0a\0\"\0:\0\"\0\xfc\0\"\0}\0", None)]
fn json_is_read_in_other_encodings(#[case] body: &[u8], #[case] charset: Option<&str>) {
    let read = Tainted::from(body).json(charset, &Scrubber::default());
    assert_eq!(read.unwrap(), json!({ "a": "ü" }));
}

#[test]
fn a_long_run_of_breaks_is_not_held_back() {
    let mut stream = scrubber(&["hunter2"]).stream();
    let mut given = stream.push(b"hun").len();
    let breaks = vec![b'\n'; 1 << 16];
    given += stream.push(&breaks).len();
    assert!(given + 200 > breaks.len(), "{given}");
}

#[test]
fn a_clean_stream_is_hardly_held_back() {
    let scrubber = scrubber(&["hunter2-hunter2", "another secret"]);
    let mut stream = scrubber.stream();
    let text = b"The quick brown fox jumps over the lazy dog. ".repeat(100);
    let given = stream.push(&text).len();
    assert!(given + 2 >= text.len(), "{given}");
    let given = given + stream.finish(End::Whole).len();
    assert_eq!(given, text.len());
}

/// Were the work in proportion to the square of the text, or of the secret, this would not end.
#[test]
fn the_worst_text_in_the_smallest_chunks_is_read_in_linear_time() {
    for (secret, text) in [
        ("a".repeat(4096), "a"),
        ("\\".repeat(4096), "\\"),
        ("a".repeat(4096), "%61"),
        ("&amp;".repeat(100), "&amp;"),
        ("ab".repeat(2000), "a\n"),
    ] {
        let scrubber = scrubber(&[&secret]);
        let mut stream = scrubber.stream();
        let mut given = 0;
        for byte in text.bytes().cycle().take(1 << 15) {
            given += stream.push(&[byte]).len();
        }
        given += stream.finish(End::Cut).len();
        assert!(given < 1 << 15);
    }
}
