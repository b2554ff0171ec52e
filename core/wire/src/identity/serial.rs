//! The serial number of a certificate.

use std::fmt;
use std::str::FromStr;

/// The longest serial number of a certificate, in bytes (RFC 5280, 4.1.2.2).
const LONGEST: usize = 20;

/// The serial number of a certificate, which tells one from every other of the same authority. Its text is lower-case hex
/// without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(Vec<u8>);

/// What is no serial number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the serial number of a certificate")]
pub struct SerialError;

impl Serial {
    /// From a certificate's big-endian bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SerialError> {
        let first = bytes.iter().position(|byte| *byte != 0).ok_or(SerialError)?;
        let significant = bytes.get(first..).ok_or(SerialError)?;
        if significant.len() > LONGEST {
            return Err(SerialError);
        }
        Ok(Self(significant.to_vec()))
    }
}

impl FromStr for Serial {
    type Err = SerialError;

    fn from_str(text: &str) -> Result<Self, SerialError> {
        let serial = hex::decode(text)
            .map_err(|_| SerialError)
            .and_then(|bytes| Self::from_bytes(&bytes))?;
        // Two texts must never name one certificate.
        if serial.to_string() == text {
            Ok(serial)
        } else {
            Err(SerialError)
        }
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::one("01", true)]
    #[case::longest(&"ff".repeat(20), true)]
    #[case::longer(&"ff".repeat(21), false)]
    #[case::zero("00", false)]
    #[case::leading_zeros("0001", false)]
    #[case::upper_case("AB", false)]
    #[case::half_a_byte("1", false)]
    #[case::no_hex("xy", false)]
    #[case::empty("", false)]
    fn a_serial_has_one_text(#[case] text: &str, #[case] good: bool) {
        assert_eq!(
            text.parse::<Serial>()
                .map(|serial| serial.to_string())
                .ok()
                .as_deref(),
            good.then_some(text)
        );
    }

    #[test]
    fn leading_zeros_of_a_certificate_do_not_count() {
        assert_eq!(Serial::from_bytes(&[0, 0x8f, 1]), "8f01".parse());
    }
}
