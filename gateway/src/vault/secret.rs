//! A credential's fields in memory, wiped when the last holder lets go.

use monstrum_guardian::destination::Destinations;
use monstrum_wire::policy::SecretField;
use monstrum_wire::runner::CredentialField;
use url::Url;
use zeroize::Zeroizing;

/// The field that holds a model provider's key.
const KEY_FIELD: &str = "apiKey";

/// A credential's fields, with where they may be sent.
pub struct Secret {
    fields: Vec<(String, Zeroizing<Vec<u8>>)>,
    hosts: Vec<String>,
}

/// Why a model provider can't be shown its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The Credential does not name the host.
    #[error("the credential may not be sent to {0}")]
    Misdirected(String),
    /// There is no field that could be meant.
    #[error("the credential has no field {KEY_FIELD}")]
    NoKey,
}

/// Shows the names only.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.fields.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Secret {
    /// Takes the fields over without copying them.
    pub fn new(fields: Vec<SecretField>, hosts: Vec<String>) -> Self {
        Self {
            hosts,
            fields: fields
                .into_iter()
                .map(|field| (field.name, Zeroizing::new(field.value)))
                .collect(),
        }
    }

    /// The values, in order.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().map(|(_, value)| value.as_slice())
    }

    /// The key for a model provider at `url`: the field `apiKey`, or the only field there is. A proxy on the way must be one of the
    /// hosts as well: it reads what it passes on, where the provider says whom to trust at its end.
    pub fn key_for(&self, url: &str, proxy: Option<&str>) -> Result<&[u8], KeyError> {
        let destinations = Destinations::read(&self.hosts).unwrap_or_default();
        for url in [Some(url), proxy].into_iter().flatten() {
            let url = Url::parse(url).map_err(|_| KeyError::Misdirected("what is no URL".to_owned()))?;
            if !destinations.permit(&url) {
                return Err(KeyError::Misdirected(url.origin().ascii_serialization()));
            }
        }
        self.key().ok_or(KeyError::NoKey)
    }

    fn key(&self) -> Option<&[u8]> {
        let named = self.fields.iter().find(|(name, _)| name == KEY_FIELD);
        let only = self.fields.first().filter(|_| self.fields.len() == 1);
        named.or(only).map(|(_, value)| value.trim_ascii())
    }

    /// Where the fields may be sent, for one call's executor.
    pub fn hosts(&self) -> Vec<String> {
        self.hosts.clone()
    }

    /// Copies for one call's executor.
    pub fn for_call(&self) -> Vec<CredentialField> {
        self.fields
            .iter()
            .map(|(name, value)| CredentialField {
                name: name.clone(),
                value: value.to_vec(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn secret(fields: &[(&str, &str)]) -> Secret {
        let field = |(name, value): &(&str, &str)| SecretField {
            name: (*name).to_owned(),
            value: value.as_bytes().to_vec(),
        };
        Secret::new(
            fields.iter().map(field).collect(),
            vec!["models.example.com".to_owned()],
        )
    }

    #[rstest]
    #[case::named("https://models.example.com/v1", true)]
    #[case::elsewhere("https://evil.test/v1", false)]
    #[case::plain("http://models.example.com/v1", false)]
    #[case::port("https://models.example.com:8443/v1", false)]
    #[case::user("https://models.example.com@evil.test/v1", false)]
    #[case::nothing("", false)]
    fn a_key_is_given_only_for_its_hosts(#[case] url: &str, #[case] expected: bool) {
        let secret = secret(&[("apiKey", "k")]);
        let home = "https://models.example.com/v1";
        assert_eq!(secret.key_for(url, None).is_ok(), expected);
        assert_eq!(secret.key_for(home, Some(url)).is_ok(), expected);
        assert!(Secret::new(Vec::new(), Vec::new()).key_for(url, None).is_err());
    }

    #[test]
    fn the_key_is_named_or_alone() {
        assert_eq!(
            secret(&[("apiKey", "k\n"), ("b", "x")]).key(),
            Some(b"k".as_slice())
        );
        assert_eq!(secret(&[("token", "k")]).key(), Some(b"k".as_slice()));
        assert_eq!(secret(&[("a", "x"), ("b", "y")]).key(), None);
    }

    #[test]
    fn a_debug_text_holds_no_value() {
        assert_eq!(format!("{:?}", secret(&[("token", "hunter2")])), r#"["token"]"#);
    }
}
