//! A leased credential, for the length of one call.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use monstrum_guardian::destination::Destinations;
use monstrum_scrub::Scrubber;
use monstrum_wire::runner::CredentialField;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use url::Url;
use zeroize::Zeroizing;

use super::Failure;

/// A credential's fields, and where they may be sent. Never printed, wiped when dropped.
#[derive(Debug, Default)]
pub struct Credential {
    fields: BTreeMap<String, Field>,
    destinations: Destinations,
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

/// A credential's fields on their way to a URL that was found to be one of its destinations. There is no other way to read them;
/// a scrubber only finds them.
#[derive(Debug, Clone, Copy)]
pub struct Addressed<'a> {
    fields: &'a BTreeMap<String, Field>,
}

impl Credential {
    /// Takes the fields over from the wire. Without hosts, and with hosts that can't be understood, they go nowhere.
    pub fn new(fields: Vec<CredentialField>, hosts: &[String]) -> Self {
        let fields = fields.into_iter().map(|field| {
            let value = match String::from_utf8(field.value) {
                Ok(text) => Field::Text(text.into()),
                Err(error) => Field::Bytes(error.into_bytes().into()),
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

    /// Finds the fields' values, and of a user's and a password's field what is sent for both.
    pub fn scrubber(&self, pair: Option<(&str, &str)>) -> Scrubber {
        let sent = pair.and_then(|(user, password)| {
            let [user, password] = [user, password].map(|field| self.fields.get(field).map(Field::bytes));
            let joined = Zeroizing::new([user?, b":", password?].concat());
            Some(Zeroizing::new(BASE64_STANDARD.encode(joined.as_slice())))
        });
        let fields = self.fields.values().map(Field::bytes);
        Scrubber::new(fields.chain(sent.as_ref().map(|sent| sent.as_bytes())))
    }
}

impl<'a> Addressed<'a> {
    /// The value of `field`, as text that fits into a header or a query.
    pub fn text(&self, field: &str) -> Result<&'a SecretString, Failure> {
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
    fn every_field_is_found_whether_text_or_not() {
        let scrubber = credential(b"\xff\xfe\x01\x02\x03").scrubber(None);
        assert_eq!(scrubber.bytes(b"<\xff\xfe\x01\x02\x03>"), b"<[secret]>");
    }

    #[test]
    fn what_is_sent_for_two_fields_is_found_though_they_are_short() {
        let field = |name: &str| CredentialField {
            name: name.to_owned(),
            value: b"pw1".to_vec(),
        };
        let both = Credential::new(vec![field("a"), field("b")], &[]);
        let sent = BASE64_STANDARD.encode("pw1:pw1");
        assert_eq!(both.scrubber(Some(("a", "b"))).text(&sent), "[secret]==");
        assert_eq!(both.scrubber(Some(("a", "c"))).text(&sent), sent);
    }
}
