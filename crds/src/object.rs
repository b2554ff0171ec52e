//! Objects of any of our kinds, as they come out of a file or an admission request.

use std::fmt;

use kube::Resource as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::kinds::{
    Bot, BotBinding, BotRole, Channel, Credential, GROUP, ModelProvider, Resource, ResourceType, VERSION,
    Workspace,
};

/// One of our kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Kind {
    ResourceType,
    Workspace,
    ModelProvider,
    Credential,
    Resource,
    Bot,
    BotRole,
    BotBinding,
    Channel,
}

impl Kind {
    /// Every kind, in the order in which people meet them.
    pub const ALL: [Self; 9] = [
        Self::ResourceType,
        Self::Workspace,
        Self::ModelProvider,
        Self::Credential,
        Self::Resource,
        Self::Bot,
        Self::BotRole,
        Self::BotBinding,
        Self::Channel,
    ];

    /// The name in an object's `kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResourceType => "ResourceType",
            Self::Workspace => "Workspace",
            Self::ModelProvider => "ModelProvider",
            Self::Credential => "Credential",
            Self::Resource => "Resource",
            Self::Bot => "Bot",
            Self::BotRole => "BotRole",
            Self::BotBinding => "BotBinding",
            Self::Channel => "Channel",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An object of one of our kinds.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Object {
    ResourceType(Box<ResourceType>),
    Workspace(Box<Workspace>),
    ModelProvider(Box<ModelProvider>),
    Credential(Box<Credential>),
    Resource(Box<Resource>),
    Bot(Box<Bot>),
    BotRole(Box<BotRole>),
    BotBinding(Box<BotBinding>),
    Channel(Box<Channel>),
}

/// Why a value is no object of ours.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// Another group, version or kind.
    #[error("{kind:?} of {api_version:?} is not a kind of {GROUP}/{VERSION}")]
    Foreign {
        /// What the value says in `apiVersion`.
        api_version: String,
        /// What the value says in `kind`.
        kind: String,
    },
    /// A field is unknown, missing or of the wrong type.
    #[error("{kind} {name:?} does not have the shape of its kind")]
    Shape {
        /// Its kind.
        kind: Kind,
        /// Its name, if it says one.
        name: String,
        /// Where and why.
        source: serde_json::Error,
    },
}

impl Object {
    /// Reads an object by its `apiVersion` and `kind`.
    pub fn read(value: Value) -> Result<Self, ObjectError> {
        let said = |key: &str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (api_version, kind) = (said("apiVersion"), said("kind"));
        let known = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
        match known {
            Some(kind) if api_version == format!("{GROUP}/{VERSION}") => Self::shaped(kind, value),
            _ => Err(ObjectError::Foreign { api_version, kind }),
        }
    }

    fn shaped(kind: Kind, value: Value) -> Result<Self, ObjectError> {
        match kind {
            Kind::ResourceType => typed(kind, value).map(Self::ResourceType),
            Kind::Workspace => typed(kind, value).map(Self::Workspace),
            Kind::ModelProvider => typed(kind, value).map(Self::ModelProvider),
            Kind::Credential => typed(kind, value).map(Self::Credential),
            Kind::Resource => typed(kind, value).map(Self::Resource),
            Kind::Bot => typed(kind, value).map(Self::Bot),
            Kind::BotRole => typed(kind, value).map(Self::BotRole),
            Kind::BotBinding => typed(kind, value).map(Self::BotBinding),
            Kind::Channel => typed(kind, value).map(Self::Channel),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ResourceType(_) => Kind::ResourceType,
            Self::Workspace(_) => Kind::Workspace,
            Self::ModelProvider(_) => Kind::ModelProvider,
            Self::Credential(_) => Kind::Credential,
            Self::Resource(_) => Kind::Resource,
            Self::Bot(_) => Kind::Bot,
            Self::BotRole(_) => Kind::BotRole,
            Self::BotBinding(_) => Kind::BotBinding,
            Self::Channel(_) => Kind::Channel,
        }
    }

    /// Its metadata.
    pub fn meta(&self) -> &kube::core::ObjectMeta {
        match self {
            Self::ResourceType(object) => object.meta(),
            Self::Workspace(object) => object.meta(),
            Self::ModelProvider(object) => object.meta(),
            Self::Credential(object) => object.meta(),
            Self::Resource(object) => object.meta(),
            Self::Bot(object) => object.meta(),
            Self::BotRole(object) => object.meta(),
            Self::BotBinding(object) => object.meta(),
            Self::Channel(object) => object.meta(),
        }
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }
}

fn typed<T: DeserializeOwned>(kind: Kind, value: Value) -> Result<Box<T>, ObjectError> {
    let name = value
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    serde_json::from_value(value)
        .map(Box::new)
        .map_err(|source| ObjectError::Shape { kind, name, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_read_by_its_kind() {
        let value = json!({ "apiVersion": "monstrum.dev/v1alpha1", "kind": "Bot", "metadata": { "name": "a" }, "spec": {} });
        let object = Object::read(value).unwrap();
        assert_eq!((object.kind(), object.name()), (Kind::Bot, "a"));
    }

    #[test]
    fn other_groups_versions_and_kinds_are_foreign() {
        for (api_version, kind) in [
            ("v1", "Bot"),
            ("monstrum.dev/v1", "Bot"),
            ("monstrum.dev/v1alpha1", "Pod"),
        ] {
            let value = json!({ "apiVersion": api_version, "kind": kind });
            assert!(matches!(Object::read(value), Err(ObjectError::Foreign { .. })));
        }
    }

    /// What is judged of a free-form setting is what is used of it, whichever process reads it again.
    #[test]
    fn a_key_of_the_json_library_is_a_key_like_any_other() {
        let config = r#"{"baseUrl":{"$serde_json::private::RawValue":"\"https://evil.example\""}}"#;
        let text = format!(
            r#"{{"apiVersion":"monstrum.dev/v1alpha1","kind":"Resource","metadata":{{"name":"a"}},"spec":{{"type":"github","config":{config}}}}}"#
        );
        for value in [
            serde_json::from_str::<Value>(&text).unwrap(),
            serde_saphyr::from_str::<Value>(&text).unwrap(),
        ] {
            let Object::Resource(resource) = Object::read(value).unwrap() else {
                panic!("another kind")
            };
            assert_eq!(json!(resource.spec.config).to_string(), config);
        }
    }

    #[test]
    fn an_unknown_field_is_an_error() {
        let value = json!({ "apiVersion": "monstrum.dev/v1alpha1", "kind": "Bot", "metadata": { "name": "a" }, "spec": { "rolls": [] } });
        assert!(matches!(
            Object::read(value),
            Err(ObjectError::Shape { kind: Kind::Bot, .. })
        ));
    }
}
