#[path = "../../../../core/scrub/tests/encodings/mod.rs"]
mod encodings;

use encodings::{ENCODINGS, Encoded};
use proptest::prelude::*;

use super::*;

fn scrubber() -> Scrubber {
    Scrubber::new([b"hunter2-secret".as_slice()])
}

#[test]
fn a_secret_at_the_bound_is_not_half_shown() {
    let mut output = Output::new(&scrubber(), 10);
    output.push(&"abcdefghunter2".into());
    output.push(&"-secret and more".into());
    let clean = output.finish(End::Whole);
    assert_eq!(clean.content, "abcdefg[se\n[the rest was cut off]");
    assert!(clean.truncated);
}

#[test]
fn half_a_secret_of_a_runner_that_is_gone_is_dropped() {
    let mut output = Output::new(&scrubber(), 100);
    output.push(&"token: hunter2-sec".into());
    assert_eq!(output.finish(End::Cut).content, "token: ");
}

#[test]
fn half_a_secret_at_the_end_that_a_runner_cut_is_dropped() {
    let mut output = Output::new(&scrubber(), 100);
    output.push(&"token: hunter2-sec".into());
    output.cut();
    let clean = output.finish(End::Whole);
    assert_eq!(clean.content, "token: \n[the rest was cut off]");
}

#[test]
fn half_a_secret_before_a_runaway_is_dropped() {
    let mut output = Output::new(&scrubber(), 100);
    output.push(&"token: hunter2-sec".into());
    assert!(!output.push(&vec![b'x'; 4 << 20].into()));
    let clean = output.finish(End::Whole);
    assert_eq!(clean.content, "token: \n[the rest was cut off]");
}

#[test]
fn what_fits_is_whole() {
    let mut output = Output::new(&scrubber(), 100);
    output.push(&"token: hunter2-sec".into());
    output.push(&"ret.".into());
    assert_eq!(
        output.finish(End::Whole),
        Clean {
            content: "token: [secret].".to_owned(),
            truncated: false,
            image: None
        }
    );
}

#[test]
fn an_image_is_shown_whole_or_told() {
    let png = b"\x89PNG\r\n\x1a\n".as_slice();
    let shown = Clean::image(&png.into(), &scrubber());
    assert_eq!(shown.content, "[an image: image/png, 8 bytes]");
    assert_eq!(shown.image.unwrap().bytes(), 8);
    for bytes in [[png, b"hunter2-secret"].concat(), b"<html>".to_vec()] {
        let told = Clean::image(&bytes.into(), &scrubber());
        assert_eq!(told.image, None);
        assert!(told.content.starts_with("(an answer of "), "{}", told.content);
    }
}

#[test]
fn a_runaway_is_noticed_and_memory_stays_bounded() {
    let mut output = Output::new(&scrubber(), 8);
    let chunk = Tainted::from(vec![b'x'; 64 << 10]);
    let taken = (0..100).take_while(|_| output.push(&chunk)).count();
    assert!(taken < 20, "{taken}");
    assert!(output.kept.len() <= 8);
}

#[test]
fn a_cut_character_does_not_break_the_text() {
    let mut output = Output::new(&Scrubber::default(), 3);
    output.push(&"aüü".into());
    assert!(output.finish(End::Whole).content.starts_with("aü"));
}

proptest! {
    /// The law of the scrubber, for a runner that goes away, for one that answers, and for the bound in between.
    #[test]
    fn no_five_characters_of_a_secret_come_through(
        secret in prop_oneof!["[A-Za-z0-9_/+=.~-]{5,90}", "[ -~]{5,60}", "[!-~äß€😀]{5,30}"],
        encoding in 0..ENCODINGS.len(),
        choices in prop::collection::vec(any::<u8>(), 1..40),
        (before, after) in ("[ -~\n]{0,40}", "[ -~\n]{0,40}"),
        (lost_at, size, most) in (0_usize..600, 1_usize..80, 1_u32..600),
    ) {
        let encoded = Encoded::new(ENCODINGS[encoding], &secret, (&before, &after), &choices);
        let scrubber = Scrubber::new([secret.as_bytes()]);
        let came = &encoded.text()[..lost_at.min(encoded.text().len())];
        for (text, end) in [(came, End::Cut), (encoded.text(), End::Whole)] {
            let mut output = Output::new(&scrubber, most);
            for chunk in text.chunks(size) {
                output.push(&chunk.into());
            }
            let clean = output.finish(end);
            prop_assert_eq!(encoded.leak(clean.content.as_bytes()), None, "{:?}", clean);
        }
    }
}
