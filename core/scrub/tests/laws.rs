//! Whatever the secret, its encoding, the text around it, the chunks and the bound: no more than four characters of it in a row come out.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::pedantic,
    reason = "test code: a failure here is a failed test"
)]

mod encodings;

use encodings::{ENCODINGS, Encoded};
use monstrum_scrub::{End, Scrubber, Tainted};
use proptest::prelude::*;

/// Secrets of every sort.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z0-9_/+=.~-]{5,90}",
        3 => "[ -~]{5,60}".prop_filter("blanks", |secret| secret.trim().len() >= 5),
        1 => "[!-~äöüß€😀]{5,30}",
        1 => "[ab]{5,12}",
        1 => ("[a-z%&\\\\]", 5_usize..200).prop_map(|(letter, count)| letter.repeat(count)),
        1 => "(-----BEGIN KEY-----\n)([A-Za-z0-9+/]{40}\n){1,4}(-----END KEY-----\n)",
    ]
}

fn around() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~\n]{0,40}", "[%\\\\&#xu0-9a-f;]{0,8}", r"\\{0,9}"]
}

fn stream(scrubber: &Scrubber, text: &[u8], cuts: &[usize], end: End) -> Vec<u8> {
    let mut stream = scrubber.stream();
    let mut clean = Vec::new();
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    cuts.sort_unstable();
    let mut at = 0;
    for cut in cuts {
        clean.extend(stream.push(&text[at..cut]));
        at = cut;
    }
    clean.extend(stream.push(&text[at..]));
    clean.extend(stream.finish(end));
    clean
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_five_characters_of_a_secret_come_out(
        secret in secret(),
        others in prop::collection::vec("[A-Za-z0-9]{4,30}", 0..3),
        encoding in 0..ENCODINGS.len(),
        choices in prop::collection::vec(any::<u8>(), 1..40),
        (before, after) in (around(), around()),
        bound in 0_usize..600,
        cuts in prop::collection::vec(0_usize..600, 0..6),
    ) {
        let encoded = Encoded::new(ENCODINGS[encoding], &secret, (&before, &after), &choices);
        let secrets = others.iter().map(String::as_str).chain([secret.as_str()]);
        let scrubber = Scrubber::new(secrets.map(str::as_bytes));
        let whole = stream(&scrubber, encoded.text(), &cuts, End::Whole);
        prop_assert_eq!(encoded.leak(&whole), None, "whole: {}", String::from_utf8_lossy(&whole));

        let bound = bound.min(encoded.text().len().saturating_sub(1));
        let cut = stream(&scrubber, &encoded.text()[..bound], &cuts, End::Cut);
        prop_assert_eq!(encoded.leak(&cut), None, "cut: {}", String::from_utf8_lossy(&cut));
        let mut tainted = Tainted::default();
        tainted.take_up_to(bound, encoded.text());
        prop_assert_eq!(encoded.leak(tainted.text(&scrubber).as_bytes()), None);
        prop_assert_eq!(tainted.bytes(&scrubber), cut);
    }

    /// Two texts of a small alphabet, so that secrets overlap themselves and each other.
    #[test]
    fn any_split_gives_the_same(
        text in "[ab\n%6\\\\]{0,80}",
        secrets in prop::collection::vec("[ab]{4,7}", 0..4),
        cuts in prop::collection::vec(0_usize..200, 0..12),
        end in prop_oneof![Just(End::Whole), Just(End::Cut)],
    ) {
        let scrubber = Scrubber::new(secrets.iter().map(|secret| secret.as_bytes()));
        let whole = stream(&scrubber, text.as_bytes(), &[], end);
        prop_assert_eq!(stream(&scrubber, text.as_bytes(), &cuts, end), whole);
    }

    #[test]
    fn scrubbing_again_changes_nothing(
        text in "[a-e\n \\[\\]]{0,60}",
        secrets in prop::collection::vec(prop_oneof!["[a-e]{4,6}", Just("secret".to_owned()), Just("ecre".to_owned())], 0..4),
    ) {
        let scrubber = Scrubber::new(secrets.iter().map(|secret| secret.as_bytes()));
        let once = scrubber.text(&text);
        prop_assert_eq!(scrubber.text(&once), once);
    }

    /// Text that has nothing in common with a secret is not touched.
    #[test]
    fn clean_text_stays(text in "[a-m \n\\\\%&;#+]{0,200}", secret in "[N-Z]{4,40}") {
        let scrubber = Scrubber::new([secret.as_bytes()]);
        prop_assert_eq!(scrubber.text(&text), text);
    }
}
