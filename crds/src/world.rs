//! The objects that one namespace's policies come from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use monstrum_guardian::address;

use crate::consent::{Consent, User};
use crate::contract::Contract;
use crate::kinds::credential::Method;
use crate::kinds::{
    Bot, BotBinding, BotRole, Channel, Credential, ModelProvider, Resource, SecretKeyRef, Workspace,
    channel::ChannelType, workspace,
};
use crate::object::{Kind, Object};
use crate::placement::Placement;

/// The objects of one namespace by name, and the cluster's contracts.
///
/// References carry no namespace, and a world knows only one: nothing here can reach into another.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The namespace.
    pub namespace: String,
    /// The namespace's defaults, if it has any.
    pub workspace: Option<Arc<Workspace>>,
    /// There is a Workspace that does not have the shape of its kind: nothing is known to be within its boundary.
    pub is_workspace_unreadable: bool,
    /// The model providers.
    pub providers: BTreeMap<String, Arc<ModelProvider>>,
    /// The credentials.
    pub credentials: BTreeMap<String, Arc<Credential>>,
    /// The resources.
    pub resources: BTreeMap<String, Arc<Resource>>,
    /// The bots.
    pub bots: BTreeMap<String, Arc<Bot>>,
    /// The roles.
    pub roles: BTreeMap<String, Arc<BotRole>>,
    /// The bindings.
    pub bindings: BTreeMap<String, Arc<BotBinding>>,
    /// The channels.
    pub channels: BTreeMap<String, Arc<Channel>>,
    /// What the installation lets objects say about their pods; none where that is not known, as on the command line.
    pub placement: Option<Arc<Placement>>,
    /// The cluster's domain, where it is not the usual one.
    pub cluster_domain: Option<Arc<str>>,
    /// The cluster's resource types, each judged once.
    pub resource_types: BTreeMap<String, Arc<Contract>>,
    /// By Secret and key: a version that changes with the value, or nothing where there is no such key. A Secret that is
    /// not mentioned does not exist.
    pub secret_versions: BTreeMap<(String, String), Option<String>>,
    /// By Secret: what its owner agreed to. A Secret that is not mentioned is not there.
    pub consents: BTreeMap<String, Consent>,
}

/// Why an object can't be in a world.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// It belongs to another namespace.
    #[error("{kind} {name:?} is in namespace {found:?}, not in {expected:?}")]
    Foreign {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: String,
        /// Its namespace.
        found: String,
        /// The world's namespace.
        expected: String,
    },
    /// There is one of that kind and name already.
    #[error("{kind} {name:?} is there twice")]
    Twice {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// It has no name.
    #[error("a {0} has no metadata.name")]
    Nameless(Kind),
    /// A Workspace must be called `workspace`.
    #[error("Workspace {0:?} must be called \"workspace\"")]
    WorkspaceName(String),
}

impl World {
    /// An empty namespace.
    pub fn new(namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            ..Self::default()
        }
    }

    /// The cluster's domain.
    pub fn cluster_domain(&self) -> &str {
        self.cluster_domain.as_deref().unwrap_or(address::CLUSTER_DOMAIN)
    }

    /// Puts an object in. One without a namespace is taken to be in this one.
    pub fn insert(&mut self, object: Object) -> Result<(), Misplaced> {
        let (kind, name) = (object.kind(), object.name().to_owned());
        if name.is_empty() {
            return Err(Misplaced::Nameless(kind));
        }
        if let Some(found) = object
            .meta()
            .namespace
            .as_ref()
            .filter(|found| **found != self.namespace)
        {
            return Err(Misplaced::Foreign {
                kind,
                name,
                found: found.clone(),
                expected: self.namespace.clone(),
            });
        }
        let twice = match object {
            Object::ResourceType(object) => self
                .resource_types
                .insert(name.clone(), Arc::new(Contract::new(Arc::from(object))))
                .is_some(),
            Object::Workspace(_) if name != workspace::NAME => return Err(Misplaced::WorkspaceName(name)),
            Object::Workspace(object) => self.workspace.replace(Arc::from(object)).is_some(),
            Object::ModelProvider(object) => self.providers.insert(name.clone(), Arc::from(object)).is_some(),
            Object::Credential(object) => self.credentials.insert(name.clone(), Arc::from(object)).is_some(),
            Object::Resource(object) => self.resources.insert(name.clone(), Arc::from(object)).is_some(),
            Object::Bot(object) => self.bots.insert(name.clone(), Arc::from(object)).is_some(),
            Object::BotRole(object) => self.roles.insert(name.clone(), Arc::from(object)).is_some(),
            Object::BotBinding(object) => self.bindings.insert(name.clone(), Arc::from(object)).is_some(),
            Object::Channel(object) => self.channels.insert(name.clone(), Arc::from(object)).is_some(),
        };
        if twice {
            Err(Misplaced::Twice { kind, name })
        } else {
            Ok(())
        }
    }

    /// The version of a Secret's key, if there is such a key.
    pub fn secret_version(&self, secret: &SecretKeyRef) -> Option<&str> {
        self.secret_versions
            .get(&(secret.name.clone(), secret.key.clone()))?
            .as_deref()
    }

    /// Whether the namespace's Workspace permits a resource type.
    pub fn permits_type(&self, resource_type: &str) -> bool {
        self.workspace
            .as_ref()
            .and_then(|workspace| workspace.spec.permitted_resource_types.as_ref())
            .is_none_or(|permitted| permitted.iter().any(|name| name == resource_type))
    }

    /// Every use of a Secret by credentials and channels.
    pub fn secret_uses(&self) -> Vec<SecretUse> {
        let credentials = self.credentials.iter().flat_map(|(name, credential)| {
            let Method::Static(method) = &credential.spec.method;
            method.fields.iter().map(move |field| SecretUse {
                secret: field.secret_key_ref.clone(),
                user: User::Credential(name.clone()),
                hosts: credential.spec.hosts.clone(),
            })
        });
        let channels = self.channels.iter().map(|(name, channel)| {
            let ChannelType::Webhook(webhook) = &channel.spec.type_;
            SecretUse {
                secret: webhook.secret.clone(),
                user: User::Channel(name.clone()),
                hosts: webhook.hosts(),
            }
        });
        credentials.chain(channels).collect()
    }

    /// Every key of every Secret that credentials and channels name.
    pub fn secret_refs(&self) -> BTreeSet<SecretKeyRef> {
        self.secret_uses().into_iter().map(|used| used.secret).collect()
    }

    /// Takes every Secret that is named, and of which nothing is known, to exist and to agree to how it is used: for judging files
    /// without a cluster. Returns their names.
    pub fn assume_secrets(&mut self) -> BTreeSet<String> {
        let mut assumed = BTreeSet::new();
        let seen: BTreeSet<_> = self.consents.keys().cloned().collect();
        for SecretUse { secret, user, hosts } in self.secret_uses() {
            if seen.contains(&secret.name) {
                continue;
            }
            assumed.insert(secret.name.clone());
            let consent = self.consents.entry(secret.name.clone()).or_default();
            *consent = std::mem::take(consent).extended(&user, &secret.key, &hosts);
            self.secret_versions
                .entry((secret.name, secret.key))
                .or_insert_with(|| Some("assumed".to_owned()));
        }
        assumed
    }
}

/// One key of a Secret, with who uses it and where its value may go then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    /// The key.
    pub secret: SecretKeyRef,
    /// Who.
    pub user: User,
    /// Where.
    pub hosts: Vec<String>,
}
