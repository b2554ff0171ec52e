//! The UID of a Kubernetes object.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use uuid::Uuid;

/// The UID of a Kubernetes object, which no other object ever has. The one form that the API server writes: lower-case,
/// with hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Uid(Uuid);

/// A text that is no UID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the UID of a Kubernetes object")]
pub struct UidError(String);

impl FromStr for Uid {
    type Err = UidError;

    fn from_str(text: &str) -> Result<Self, UidError> {
        let wrong = || UidError(text.to_owned());
        let uid = Uuid::try_parse(text).map_err(|_| wrong())?;
        // The parser takes other forms too; two texts must never name one object.
        let is_canonical = uid.hyphenated().to_string() == text;
        if is_canonical && !uid.is_nil() {
            Ok(Self(uid))
        } else {
            Err(wrong())
        }
    }
}

impl TryFrom<String> for Uid {
    type Error = UidError;

    fn try_from(text: String) -> Result<Self, UidError> {
        text.parse()
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11", true)]
    #[case("6A0F1C1E-8F0B-4C53-9D53-0D6F3A7B2C11", false)]
    #[case("6a0f1c1e8f0b4c539d530d6f3a7b2c11", false)]
    #[case("{6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11}", false)]
    #[case("urn:uuid:6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11", false)]
    #[case(" 6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11", false)]
    #[case("00000000-0000-0000-0000-000000000000", false)]
    #[case("", false)]
    fn only_the_api_servers_form_is_a_uid(#[case] text: &str, #[case] good: bool) {
        assert_eq!(
            text.parse::<Uid>().map(|uid| uid.to_string()).ok().as_deref(),
            good.then_some(text)
        );
    }
}
