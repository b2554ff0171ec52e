//! The signing secret: `whsec_` and base64, as Standard Webhooks writes it. During a rotation the file holds several,
//! separated by white space: each verifies, the first signs.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
/// Some senders put the version of their signatures before it.
const VERSION: &str = "v1,";
/// Some tools write secrets without the padding at their end.
const PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
/// In either alphabet: those of the one that differ are not in the other.
const BASE64: [GeneralPurpose; 2] = [
    GeneralPurpose::new(&alphabet::STANDARD, PADDING),
    GeneralPurpose::new(&alphabet::URL_SAFE, PADDING),
];
/// Standard Webhooks asks for 24 bytes at least.
const MIN_BYTES: usize = 24;

/// One secret's bytes.
pub(super) type Key = Zeroizing<Vec<u8>>;

/// The secrets of a file; never none.
pub(super) fn parse(text: &str) -> Result<Vec<Key>, String> {
    let keys: Vec<Key> = text.split_whitespace().map(key).collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Err("holds no secret; write whsec_ and the base64 of at least 24 random bytes".to_owned());
    }
    Ok(keys)
}

fn key(word: &str) -> Result<Key, String> {
    let form = || {
        "a secret is not whsec_ and base64; where a sender shows plain characters, write whsec_ and the base64 of them"
            .to_owned()
    };
    let word = word.strip_prefix(VERSION).unwrap_or(word);
    let encoded = word.strip_prefix(PREFIX).ok_or_else(form)?;
    let decoded = BASE64.iter().find_map(|base64| base64.decode(encoded).ok());
    let key = Zeroizing::new(decoded.ok_or_else(form)?);
    if key.len() < MIN_BYTES {
        return Err(format!(
            "a secret has {} bytes, at least 24 are needed",
            key.len()
        ));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
    use rstest::rstest;

    #[test]
    fn one_or_several_secrets_are_read() {
        let one = format!("{PREFIX}{}", STANDARD.encode([7; 24]));
        let two = format!("{PREFIX}{}", STANDARD.encode([8; 32]));
        assert_eq!(parse(&format!("{one}\n")).unwrap().len(), 1);
        assert_eq!(*parse(&format!("{one} {two}")).unwrap()[1], [8; 32]);
    }

    #[test]
    fn padding_may_be_left_out() {
        for bytes in 24..30 {
            let secret = format!("{PREFIX}{}", STANDARD_NO_PAD.encode(vec![7; bytes]));
            assert_eq!(*parse(&secret).unwrap()[0], vec![7; bytes]);
        }
    }

    #[test]
    fn the_version_of_signatures_may_stand_before_it_and_the_alphabet_may_be_that_of_urls() {
        let bytes = [0xfb_u8; 27];
        for encoded in [STANDARD.encode(bytes), URL_SAFE.encode(bytes)] {
            assert!(encoded.contains(['+', '-']));
            for secret in [format!("{PREFIX}{encoded}"), format!("v1,{PREFIX}{encoded}")] {
                assert_eq!(*parse(&secret).unwrap()[0], bytes);
            }
        }
    }

    #[rstest]
    #[case::both_alphabets("whsec_-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+")]
    #[case::another_version("v2,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    #[case::empty("")]
    #[case::blank(" \n")]
    #[case::no_prefix("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    #[case::no_base64("whsec_???")]
    #[case::short("whsec_c2hvcnQ=")]
    #[case::nothing_after_the_prefix("whsec_")]
    #[case::one_of_two_is_wrong("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_x")]
    fn anything_else_is_refused(#[case] text: &str) {
        assert!(parse(text).is_err());
    }
}
