//! A leased credential, for the length of one call.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use monstrum_wire::runner::CredentialField;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::Failure;

/// Shorter values would mask ordinary words.
const SHORTEST_MASKED: usize = 4;

/// A credential's fields. Never printed, wiped when dropped.
#[derive(Debug, Default)]
pub struct Credential {
    fields: BTreeMap<String, Result<SecretString, ()>>,
}

impl Credential {
    /// Takes the fields over from the wire.
    pub fn new(fields: Vec<CredentialField>) -> Self {
        let fields = fields.into_iter().map(|field| {
            let value = match String::from_utf8(field.value) {
                Ok(text) => Ok(SecretString::from(text)),
                Err(error) => {
                    drop(Zeroizing::new(error.into_bytes()));
                    Err(())
                }
            };
            (field.name, value)
        });
        Self {
            fields: fields.collect(),
        }
    }

    /// The value of `field`, as text that fits into a header or a query.
    pub fn text(&self, field: &str) -> Result<&SecretString, Failure> {
        let value = self
            .fields
            .get(field)
            .ok_or_else(|| Failure::invalid(format!("the credential has no field {field:?}")))?
            .as_ref()
            .map_err(|()| Failure::invalid(format!("the credential's field {field:?} is not text")))?;
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

    /// Replaces each of the secret values, and its usual encodings, in a message for people.
    pub fn mask(&self, message: String) -> String {
        let mut masked = message;
        for value in self.fields.values().flatten() {
            let plain = value.expose_secret();
            if plain.len() < SHORTEST_MASKED {
                continue;
            }
            for form in forms(plain) {
                if masked.contains(form.as_str()) {
                    masked = masked.replace(form.as_str(), "***");
                }
            }
        }
        masked
    }
}

fn forms(plain: &str) -> [Zeroizing<String>; 4] {
    [
        Zeroizing::new(plain.to_owned()),
        Zeroizing::new(BASE64_STANDARD.encode(plain)),
        Zeroizing::new(BASE64_URL_SAFE.encode(plain)),
        Zeroizing::new(utf8_percent_encode(plain, NON_ALPHANUMERIC).to_string()),
    ]
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
    fn every_usual_form_is_masked() {
        let secret = credential(b"s3cr3t/+val=");
        for form in ["s3cr3t/+val=", "czNjcjN0Lyt2YWw9", "s3cr3t%2F%2Bval%3D"] {
            let masked = secret.mask(format!("upstream said <{form}>"));
            assert_eq!(masked, "upstream said <***>", "{form}");
        }
    }
}
