//! A leased credential, for the length of one call.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use monstrum_guardian::destination::Destinations;
use monstrum_wire::runner::CredentialField;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use zeroize::Zeroizing;

use super::Failure;

/// Shorter values would mask ordinary words.
const SHORTEST_MASKED: usize = 4;

/// A credential's fields, and where they may be sent. Never printed, wiped when dropped.
#[derive(Debug, Default)]
pub struct Credential {
    fields: BTreeMap<String, Result<SecretString, ()>>,
    destinations: Destinations,
}

/// A credential's fields on their way to a URL that was found to be one of its destinations. There is no other way to read them.
#[derive(Debug, Clone, Copy)]
pub struct Addressed<'a> {
    fields: &'a BTreeMap<String, Result<SecretString, ()>>,
}

impl Credential {
    /// Takes the fields over from the wire. Without hosts, and with hosts that can't be understood, they go nowhere.
    pub fn new(fields: Vec<CredentialField>, hosts: &[String]) -> Self {
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
            destinations: Destinations::read(hosts).unwrap_or_default(),
        }
    }

    /// The fields for a request to exactly this URL; each hop of a redirect asks for itself.
    pub fn towards(&self, url: &Url) -> Result<Addressed<'_>, Failure> {
        if self.destinations.permit(url) {
            return Ok(Addressed { fields: &self.fields });
        }
        Err(Failure::refused(format!(
            "the credential may not be sent to {}: its Credential does not name this host",
            url.origin().ascii_serialization()
        )))
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

impl<'a> Addressed<'a> {
    /// The value of `field`, as text that fits into a header or a query.
    pub fn text(&self, field: &str) -> Result<&'a SecretString, Failure> {
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
    use crate::call::FailureKind;

    fn credential(value: &[u8]) -> Credential {
        let field = CredentialField {
            name: "token".to_owned(),
            value: value.to_vec(),
        };
        Credential::new(vec![field], &["a.example.com".to_owned()])
    }

    fn home() -> Url {
        Url::parse("https://a.example.com/").unwrap()
    }

    #[test]
    fn only_a_named_host_is_shown_a_field() {
        let secret = credential(b"s3cr3t-value");
        secret.towards(&home()).unwrap().text("token").unwrap();
        for elsewhere in [
            "https://b.example.com/",
            "http://a.example.com/",
            "https://a.example.com:8443/",
            "https://a.example.com.evil.test/",
            "https://me@a.example.com/",
        ] {
            let failure = secret.towards(&Url::parse(elsewhere).unwrap()).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Refused, "{elsewhere}");
            assert!(!failure.message.contains("s3cr3t"), "{}", failure.message);
        }
    }

    #[test]
    fn without_usable_hosts_it_goes_nowhere() {
        for hosts in [vec![], vec!["a.example.com".to_owned(), "not a host".to_owned()]] {
            let secret = Credential::new(Vec::new(), &hosts);
            assert_eq!(
                secret.towards(&home()).unwrap_err().kind,
                FailureKind::Refused,
                "{hosts:?}"
            );
        }
    }

    #[test]
    fn a_debug_print_shows_no_secret() {
        assert!(!format!("{:?}", credential(b"hunter2hunter2")).contains("hunter2"));
    }

    #[test]
    fn values_that_a_header_can_not_hold_are_told_by_field() {
        for wrong in [&b"tok\n"[..], b"a\r\nb", b"a\0b", b"\xff\xfe", b""] {
            let failure = credential(wrong)
                .towards(&home())
                .unwrap()
                .text("token")
                .unwrap_err();
            assert!(failure.message.contains("\"token\""), "{}", failure.message);
        }
        assert!(
            credential(b"x")
                .towards(&home())
                .unwrap()
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
