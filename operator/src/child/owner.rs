//! Whose an object of ours is.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use monstrum_crds::kinds::GROUP;
use monstrum_wire::identity::{Identity, Uid};

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
    /// All of them.
    pub const ALL: [&str; 8] = [
        NAME, COMPONENT, INSTANCE, MANAGED_BY, BOT, RUNNER, RESOURCE, CHANNEL,
    ];
}

/// Who made our objects.
pub const MANAGER: &str = "monstrum-operator";
/// The selector of our objects.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by=monstrum-operator";

/// Labels by key.
pub type Labels = BTreeMap<String, String>;

/// Whose an object is that has a name of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belonging {
    /// Its owner's.
    Ours,
    /// We made it for an earlier object of the same name: one that was deleted without it, or that is restored from a backup.
    Left,
    /// Somebody else's.
    Foreign,
}

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

    /// What every object of ours refers to.
    pub(super) fn reference(&self) -> OwnerReference {
        OwnerReference {
            api_version: "monstrum.dev/v1alpha1".to_owned(),
            kind: self.kind.to_owned(),
            name: self.name.clone(),
            uid: self.uid.to_string(),
            controller: Some(true),
            block_owner_deletion: None,
        }
    }

    /// Whether a reference is to an object of our group.
    pub fn is_ours(reference: &OwnerReference) -> bool {
        reference.api_version.split('/').next() == Some(GROUP)
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

    /// Whose an object is. Of two objects with one name one at most lives, so that whoever is named as its controller by this
    /// owner's name and another uid is gone.
    pub fn belonging(&self, metadata: &ObjectMeta) -> Belonging {
        if self.owns(metadata) {
            return Belonging::Ours;
        }
        let says = |key: &str, value: &str| {
            let labels = metadata.labels.as_ref();
            labels.and_then(|labels| labels.get(key)).map(String::as_str) == Some(value)
        };
        let controllers = metadata.owner_references.iter().flatten();
        let is_left = controllers
            .filter(|owner| owner.controller == Some(true))
            .all(|owner| Self::is_ours(owner) && owner.kind == self.kind && owner.name == self.name);
        if says(label::MANAGED_BY, MANAGER) && says(self.label, &self.name) && is_left {
            Belonging::Left
        } else {
            Belonging::Foreign
        }
    }

    /// Whether a certificate names this owner, or an earlier one of its name, or a part of it.
    pub(super) fn is_named_by(&self, identity: &Identity) -> bool {
        let (kind, namespace, name) = match identity {
            Identity::Gateway(bot) | Identity::Runner { bot, .. } => ("Bot", &bot.namespace, &bot.name),
            Identity::Channel(channel) => ("Channel", &channel.namespace, &channel.name),
            Identity::Operator | Identity::Ledger => return false,
        };
        kind == self.kind && *namespace == self.namespace && *name == self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn owner() -> Owner {
        Owner {
            kind: "Bot",
            namespace: "team-a".to_owned(),
            name: "triage".to_owned(),
            uid: "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11".parse().unwrap(),
            label: label::BOT,
        }
    }

    fn by(kind: &str, name: &str, uid: &str, controller: bool) -> Value {
        let api = if kind == "ReplicaSet" {
            "apps/v1"
        } else {
            "monstrum.dev/v1alpha1"
        };
        json!({"apiVersion": api, "kind": kind, "name": name, "uid": uid, "controller": controller})
    }

    const UID: &str = "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11";
    const EARLIER: &str = "c0b1f6d2-33a5-4c0e-9a61-5d2b0a4be0a7";

    #[rstest]
    #[case::its_own("triage", MANAGER, vec![by("Bot", "triage", UID, true)], Belonging::Ours)]
    #[case::orphaned("triage", MANAGER, vec![], Belonging::Left)]
    #[case::of_the_one_before("triage", MANAGER, vec![by("Bot", "triage", EARLIER, true)], Belonging::Left)]
    #[case::held_by_somebody_who_controls_nothing("triage", MANAGER, vec![by("ReplicaSet", "x", EARLIER, false)], Belonging::Left)]
    #[case::of_another_controller("triage", MANAGER, vec![by("ReplicaSet", "triage", EARLIER, true)], Belonging::Foreign)]
    #[case::of_another_bot("triage", MANAGER, vec![by("Bot", "other", EARLIER, true)], Belonging::Foreign)]
    #[case::of_a_channel("triage", MANAGER, vec![by("Channel", "triage", EARLIER, true)], Belonging::Foreign)]
    #[case::for_another_bot("other", MANAGER, vec![], Belonging::Foreign)]
    #[case::made_by_others("triage", "Helm", vec![], Belonging::Foreign)]
    fn whose_an_object_is(
        #[case] bot: &str,
        #[case] manager: &str,
        #[case] owners: Vec<Value>,
        #[case] expected: Belonging,
    ) {
        let labels = json!({"app.kubernetes.io/managed-by": manager, "monstrum.dev/bot": bot});
        let metadata = json!({"name": "x", "labels": labels, "ownerReferences": owners});
        let metadata: ObjectMeta = serde_json::from_value(metadata).unwrap();
        assert_eq!(owner().belonging(&metadata), expected);
    }
}
