//! What the compiler hands over for one bot.

use std::collections::BTreeMap;

use monstrum_crds::consent::User;
use monstrum_guardian::document::Document;
use monstrum_guardian::source;
use monstrum_wire::identity::BotId;
use monstrum_wire::policy::Settings;

/// One bot's policy before it has a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The guardian's document, canonical JSON.
    pub permissions: Vec<u8>,
    /// What a gateway needs beyond permissions.
    pub settings: Settings,
    /// Where the secrets stand that this policy names. Never sent.
    pub openings: Openings,
}

/// Where the secrets of one policy stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Openings {
    /// By the name of the binding.
    pub bindings: BTreeMap<String, Opening>,
    /// By the name of the model provider; at most one.
    pub providers: BTreeMap<String, Opening>,
}

/// Where one credential's secrets stand, and which version of them was compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Who uses the Secrets: each must agree to it when it is opened.
    pub user: User,
    /// Where the secrets may be sent; leased with them.
    pub hosts: Vec<String>,
    /// What the policy names.
    pub version: String,
    /// In the order of the credential.
    pub fields: Vec<FieldSource>,
}

/// Where one field of a credential stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSource {
    /// The field's name.
    pub name: String,
    /// The Secret's name.
    pub secret: String,
    /// The key in it.
    pub key: String,
    /// The Secret's version when it was compiled (see [`crate::index::secret_version`]).
    pub secret_version: String,
}

impl Draft {
    /// The policy of a bot that is gone or suspended: nothing is permitted, nothing is visible.
    pub fn empty(bot: &BotId) -> Self {
        let name = source::BotName {
            namespace: bot.namespace.clone(),
            name: bot.name.clone(),
        };
        Self {
            permissions: Document::empty(name).to_bytes(),
            settings: Settings::default(),
            openings: Openings::default(),
        }
    }
}
