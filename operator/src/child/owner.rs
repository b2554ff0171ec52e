//! Whose an object of ours is.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use monstrum_wire::identity::Uid;

/// Keys of labels.
pub mod label {
    /// Always `monstrum`.
    pub const NAME: &str = "app.kubernetes.io/name";
    /// `gateway`, `runner` or `channel`.
    pub const COMPONENT: &str = "app.kubernetes.io/component";
    /// The bot or channel.
    pub const INSTANCE: &str = "app.kubernetes.io/instance";
    /// Always [`super::MANAGER`] on objects of ours.
    pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// The bot.
    pub const BOT: &str = "monstrum.dev/bot";
    /// The runner: `default`, or `resource-<name>`.
    pub const RUNNER: &str = "monstrum.dev/runner";
    /// The resource that a sandbox is for.
    pub const RESOURCE: &str = "monstrum.dev/resource";
    /// The channel.
    pub const CHANNEL: &str = "monstrum.dev/channel";
}

/// Who made our objects.
pub const MANAGER: &str = "monstrum-operator";
/// The selector of our objects.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by=monstrum-operator";

/// Labels by key.
pub type Labels = BTreeMap<String, String>;

/// The object of a user that ours are made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// `Bot` or `Channel`.
    pub kind: &'static str,
    /// Where both stand.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: an object of the same name that came later owns nothing of the first one.
    pub uid: Uid,
    /// The label that carries its name.
    pub label: &'static str,
}

impl Owner {
    /// The labels of a part of it.
    pub fn labels(&self, component: &str) -> Labels {
        let mut labels = self.selector(component);
        labels.insert(label::NAME.to_owned(), "monstrum".to_owned());
        labels.insert(label::MANAGED_BY.to_owned(), MANAGER.to_owned());
        labels.insert(label::INSTANCE.to_owned(), self.name.clone());
        labels
    }

    /// The labels that find a part of it.
    pub fn selector(&self, component: &str) -> Labels {
        Labels::from([
            (self.label.to_owned(), self.name.clone()),
            (label::COMPONENT.to_owned(), component.to_owned()),
        ])
    }

    /// The metadata of an object of ours.
    pub fn metadata(&self, name: &str, labels: Labels) -> ObjectMeta {
        ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(self.namespace.clone()),
            labels: Some(labels),
            owner_references: Some(vec![self.reference()]),
            ..ObjectMeta::default()
        }
    }

    fn reference(&self) -> OwnerReference {
        OwnerReference {
            api_version: "monstrum.dev/v1alpha1".to_owned(),
            kind: self.kind.to_owned(),
            name: self.name.clone(),
            uid: self.uid.to_string(),
            controller: Some(true),
            block_owner_deletion: None,
        }
    }

    /// Whether `metadata` is of an object that belongs to it.
    pub fn owns(&self, metadata: &ObjectMeta) -> bool {
        let uid = self.uid.to_string();
        metadata
            .owner_references
            .iter()
            .flatten()
            .any(|owner| owner.uid == uid && owner.kind == self.kind)
    }
}
