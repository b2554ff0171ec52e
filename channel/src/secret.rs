//! The signing secret: `whsec_` and base64, as Standard Webhooks writes it. During a rotation the file holds several,
//! separated by white space: each verifies, the first signs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

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

/// Why there is no usable secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file.
    #[error("{path}: can't be read")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing in it.
    #[error("{0}: holds no secret; write whsec_ and the base64 of at least 24 random bytes")]
    Empty(PathBuf),
    /// Not the form.
    #[error(
        "{0}: a secret is not whsec_ and base64; where a sender shows plain characters, write whsec_ and the base64 of them"
    )]
    Form(PathBuf),
    /// Too easy to guess.
    #[error("{path}: a secret has {found} bytes, at least 24 are needed")]
    Short {
        /// Which file.
        path: PathBuf,
        /// How many there are.
        found: usize,
    },
}

/// One secret's bytes.
pub(crate) type Key = Zeroizing<Vec<u8>>;

/// The secrets in use.
pub(crate) struct Keys {
    keys: RwLock<Arc<Vec<Key>>>,
}

/// Shows how many there are.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("count", &self.current().len())
            .finish()
    }
}

impl Keys {
    pub(crate) fn read(path: &Path) -> Result<Self, SecretError> {
        Ok(Self {
            keys: RwLock::new(Arc::new(read(path)?)),
        })
    }

    /// Never empty.
    pub(crate) fn current(&self) -> Arc<Vec<Key>> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn reload(&self, path: &Path) -> Result<(), SecretError> {
        let keys = Arc::new(read(path)?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<Key>, SecretError> {
    let failed = |source| SecretError::Read {
        path: path.to_owned(),
        source,
    };
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    let keys = text
        .split_whitespace()
        .map(|word| key(word, path))
        .collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        Err(SecretError::Empty(path.to_owned()))
    } else {
        Ok(keys)
    }
}

fn key(word: &str, path: &Path) -> Result<Key, SecretError> {
    let form = || SecretError::Form(path.to_owned());
    let word = word.strip_prefix(VERSION).unwrap_or(word);
    let encoded = word.strip_prefix(PREFIX).ok_or_else(form)?;
    let decoded = BASE64.iter().find_map(|base64| base64.decode(encoded).ok());
    let key = Zeroizing::new(decoded.ok_or_else(form)?);
    if key.len() < MIN_BYTES {
        return Err(SecretError::Short {
            path: path.to_owned(),
            found: key.len(),
        });
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
    use rstest::rstest;

    fn from_text(text: &str) -> Result<Keys, SecretError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, text).unwrap();
        Keys::read(&path)
    }

    #[test]
    fn one_or_several_secrets_are_read() {
        let one = format!("{PREFIX}{}", STANDARD.encode([7; 24]));
        let two = format!("{PREFIX}{}", STANDARD.encode([8; 32]));
        assert_eq!(from_text(&format!("{one}\n")).unwrap().current().len(), 1);
        assert_eq!(*from_text(&format!("{one} {two}")).unwrap().current()[1], [8; 32]);
    }

    #[test]
    fn padding_may_be_left_out() {
        for bytes in 24..30 {
            let secret = format!("{PREFIX}{}", STANDARD_NO_PAD.encode(vec![7; bytes]));
            assert_eq!(*from_text(&secret).unwrap().current()[0], vec![7; bytes]);
        }
    }

    #[test]
    fn the_version_of_signatures_may_stand_before_it_and_the_alphabet_may_be_that_of_urls() {
        let bytes = [0xfb_u8; 27];
        for encoded in [STANDARD.encode(bytes), URL_SAFE.encode(bytes)] {
            assert!(encoded.contains(['+', '-']));
            for secret in [format!("{PREFIX}{encoded}"), format!("v1,{PREFIX}{encoded}")] {
                assert_eq!(*from_text(&secret).unwrap().current()[0], bytes);
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
        assert!(from_text(text).is_err());
    }

    #[test]
    fn a_missing_file_is_refused() {
        assert!(matches!(
            Keys::read(Path::new("/nowhere/secret")),
            Err(SecretError::Read { .. })
        ));
    }
}
