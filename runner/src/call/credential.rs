//! A leased credential, for the length of one call.

use std::collections::BTreeMap;

use monstrum_scrub::Scrubber;
use monstrum_wire::runner::CredentialField;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use super::Failure;

/// A credential's fields. Never printed, wiped when dropped.
#[derive(Debug, Default)]
pub struct Credential {
    fields: BTreeMap<String, Field>,
}

/// A field's value; not every one is text.
#[derive(Debug)]
enum Field {
    Text(SecretString),
    Bytes(SecretSlice<u8>),
}

impl Field {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.expose_secret().as_bytes(),
            Self::Bytes(bytes) => bytes.expose_secret(),
        }
    }
}

impl Credential {
    /// Takes the fields over from the wire.
    pub fn new(fields: Vec<CredentialField>) -> Self {
        let fields = fields.into_iter().map(|field| {
            let value = match String::from_utf8(field.value) {
                Ok(text) => Field::Text(text.into()),
                Err(error) => Field::Bytes(error.into_bytes().into()),
            };
            (field.name, value)
        });
        Self {
            fields: fields.collect(),
        }
    }

    /// The value of `field`, as text that fits into a header or a query.
    pub fn text(&self, field: &str) -> Result<&SecretString, Failure> {
        let value = match self.fields.get(field) {
            Some(Field::Text(text)) => text,
            Some(Field::Bytes(_)) => {
                return Err(Failure::invalid(format!(
                    "the credential's field {field:?} is not text"
                )));
            }
            None => {
                return Err(Failure::invalid(format!("the credential has no field {field:?}")));
            }
        };
        let exposed = value.expose_secret();
        if exposed.is_empty() {
            return Err(Failure::invalid(format!(
                "the credential's field {field:?} is empty"
            )));
        }
        // Not trimmed silently: the gateway searches results for the value as it is stored.
        if exposed.chars().any(char::is_control) {
            return Err(Failure::invalid(format!(
                "the credential's field {field:?} holds a line break or another control character; \
                 store the value without it"
            )));
        }
        Ok(value)
    }

    /// Finds the fields' values, and whatever else of this credential is `sent`.
    pub fn scrubber<'a>(&'a self, sent: impl IntoIterator<Item = &'a [u8]>) -> Scrubber {
        let fields = self.fields.values().map(|field| field.bytes());
        Scrubber::new(fields.chain(sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(value: &[u8]) -> Credential {
        Credential::new(vec![CredentialField {
            name: "token".to_owned(),
            value: value.to_vec(),
        }])
    }

    #[test]
    fn a_debug_print_shows_no_secret() {
        assert!(!format!("{:?}", credential(b"hunter2hunter2")).contains("hunter2"));
    }

    #[test]
    fn values_that_a_header_can_not_hold_are_told_by_field() {
        for wrong in [&b"tok\n"[..], b"a\r\nb", b"a\0b", b"\xff\xfe", b""] {
            let failure = credential(wrong).text("token").unwrap_err();
            assert!(failure.message.contains("\"token\""), "{}", failure.message);
        }
        assert!(
            credential(b"x")
                .text("other")
                .unwrap_err()
                .message
                .contains("no field \"other\"")
        );
    }

    #[test]
    fn every_field_is_found_whether_text_or_not() {
        let scrubber = credential(b"\xff\xfe\x01\x02\x03").scrubber([b"derived".as_slice()]);
        assert_eq!(
            scrubber.bytes(b"<\xff\xfe\x01\x02\x03 derived>"),
            b"<[secret] [secret]>"
        );
    }
}
