//! A credential's fields in memory, wiped when the last holder lets go.

use monstrum_wire::policy::SecretField;
use monstrum_wire::runner::CredentialField;
use zeroize::Zeroizing;

/// The field that holds a model provider's key.
const KEY_FIELD: &str = "apiKey";

/// A credential's fields.
pub struct Secret {
    fields: Vec<(String, Zeroizing<Vec<u8>>)>,
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
    pub fn new(fields: Vec<SecretField>) -> Self {
        Self {
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

    /// A model provider's key: the field `apiKey`, or the only field there is.
    pub fn key(&self) -> Option<&[u8]> {
        let named = self.fields.iter().find(|(name, _)| name == KEY_FIELD);
        let only = self.fields.first().filter(|_| self.fields.len() == 1);
        named.or(only).map(|(_, value)| value.trim_ascii())
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

    fn secret(fields: &[(&str, &str)]) -> Secret {
        let field = |(name, value): &(&str, &str)| SecretField {
            name: (*name).to_owned(),
            value: value.as_bytes().to_vec(),
        };
        Secret::new(fields.iter().map(field).collect())
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
