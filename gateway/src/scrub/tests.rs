use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use rstest::rstest;

use super::*;

const SECRET: &str = "ghp_s3cr3t/+=\"\\ ü~token";

fn scrubber(secrets: &[&str]) -> Scrubber {
    Scrubber::new(secrets.iter().map(|secret| secret.as_bytes())).unwrap()
}

fn percent_all(text: &str) -> String {
    text.bytes()
        .fold(String::new(), |text, byte| text + &format!("%{byte:02x}"))
}

#[rstest]
#[case::plain(SECRET.to_owned())]
#[case::hex(hex::encode(SECRET))]
#[case::hex_upper(hex::encode_upper(SECRET))]
#[case::base64(STANDARD.encode(SECRET))]
#[case::base64_url(URL_SAFE.encode(SECRET))]
#[case::base64_url_unpadded(URL_SAFE_NO_PAD.encode(SECRET))]
#[case::basic_auth(STANDARD.encode(format!("u:{SECRET}")))]
#[case::basic_auth_other_alignment(STANDARD.encode(format!("me:{SECRET}")))]
#[case::basic_auth_third_alignment(STANDARD.encode(format!("you:{SECRET}!")))]
#[case::percent(percent_encoding::utf8_percent_encode(SECRET, percent_encoding::NON_ALPHANUMERIC).to_string())]
#[case::percent_all(percent_all(SECRET))]
#[case::json(serde_json::to_string(SECRET).unwrap())]
#[case::json_in_json(serde_json::to_string(&serde_json::to_string(SECRET).unwrap()).unwrap())]
#[case::json_ascii(r#"ghp_s3cr3t/+=\"\\ \u00fc~token"#.to_owned())]
#[case::json_slashes(r#"ghp_s3cr3t\/+=\"\\ ü~token"#.to_owned())]
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

#[test]
fn a_wrapped_base64_is_found() {
    let long = "x1y2z3".repeat(30);
    let wrapped: Vec<String> = STANDARD
        .encode(&long)
        .as_bytes()
        .chunks(76)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let clean = scrubber(&[&long]).text(&format!("key:\n{}\n", wrapped.join("\n")));
    assert_eq!(clean, format!("key:\n{MARK}\n"));
}

#[test]
fn one_line_of_a_key_is_found() {
    let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----\n";
    let clean = scrubber(&[key]).text("grep: AQEFAASCBKcwggSjAgEAAoIB");
    assert_eq!(clean, format!("grep: {MARK}"));
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
fn a_trailing_line_break_of_a_secret_does_not_hide_it() {
    assert_eq!(
        scrubber(&["tok-12345\n"]).text("is tok-12345."),
        format!("is {MARK}.")
    );
}

#[test]
fn short_fields_and_no_secrets_change_nothing() {
    assert_eq!(scrubber(&["abc", ""]).text("abc\nabc"), "abc\nabc");
    assert_eq!(Scrubber::default().text("abc"), "abc");
}

#[test]
fn a_clean_stream_is_not_held_back_longer_than_a_secret() {
    let scrubber = scrubber(&["secret"]);
    let mut stream = scrubber.stream();
    let held = scrubber.longest();
    assert_eq!(stream.push(&vec![b'.'; held * 2]).len(), held + 1);
}

fn piecewise(scrubber: &Scrubber, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut stream = scrubber.stream();
    let mut clean = Vec::new();
    let mut at = 0;
    let mut cuts: Vec<usize> = cuts
        .iter()
        .map(|cut| cut.checked_rem(text.len().saturating_add(1)).unwrap())
        .collect();
    cuts.sort_unstable();
    for cut in cuts {
        clean.extend(stream.push(&text[at..cut]));
        at = cut;
    }
    clean.extend(stream.push(&text[at..]));
    clean.extend(stream.finish());
    clean
}

#[test]
fn any_single_split_gives_the_same() {
    let scrubber = scrubber(&["hunter22", "2 and more"]);
    let text = format!(
        "a hunter22 and more b {} c hunter2\n2 d",
        STANDARD.encode("hunter22")
    );
    let whole = scrubber.bytes(text.as_bytes());
    assert!(!String::from_utf8_lossy(&whole).contains("hunter"));
    for cut in 0..=text.len() {
        assert_eq!(
            piecewise(&scrubber, text.as_bytes(), &[cut]),
            whole,
            "cut at {cut}"
        );
    }
}

proptest! {
    /// A small alphabet, so that secrets overlap themselves and each other.
    #[test]
    fn any_split_gives_the_same(
        text in "[ab\n]{0,80}",
        secrets in prop::collection::vec("[ab]{4,7}", 0..4),
        cuts in prop::collection::vec(0_usize..200, 0..12),
    ) {
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let scrubber = scrubber(&secrets);
        let whole = scrubber.bytes(text.as_bytes());
        prop_assert_eq!(piecewise(&scrubber, text.as_bytes(), &cuts), whole);
    }

    #[test]
    fn no_secret_survives(
        before in "[a-z]{0,20}",
        secret in "[A-Z0-9/+=_-]{8,40}",
        after in "[a-z]{0,20}",
        cuts in prop::collection::vec(0_usize..200, 0..6),
    ) {
        let scrubber = scrubber(&[&secret]);
        for encoded in [secret.clone(), STANDARD.encode(&secret), hex::encode(&secret)] {
            let text = format!("{before}{encoded}{after}");
            let clean = piecewise(&scrubber, text.as_bytes(), &cuts);
            let clean = String::from_utf8_lossy(&clean).into_owned();
            prop_assert!(!clean.contains(&encoded));
            prop_assert!(clean.contains(MARK));
        }
    }
}
