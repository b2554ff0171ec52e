//! Objects of ours: what they should be, what they are, and the few writes between.
//!
//! An object is written by server-side apply when it is not there, when what it should be has changed since it was
//! written (by a digest in an annotation), or when somebody changed it: what we wrote, or by adding to it. Otherwise nothing is
//! written.

mod apply;
mod certificate;
mod contest;
mod drift;
mod owner;
mod takeover;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::core::ApiResource;
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde_json::Value;

pub use apply::{Applied, Applier, ApplyError, Certified};
pub use certificate::{Certificate, CertificateSpec, Issued, certificate_annotations, keeps_up};
pub use owner::{Belonging, Labels, MANAGED_BY, MANAGER, Owner, label};

/// The kinds of our objects, in the order in which they are applied: what others need comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChildKind {
    /// Identities without tokens.
    ServiceAccount,
    /// Names of gateways and channels.
    Service,
    /// A channel's settings.
    ConfigMap,
    /// Who may talk to whom.
    NetworkPolicy,
    /// How many may be away at once.
    PodDisruptionBudget,
    /// The pods.
    Deployment,
}

impl ChildKind {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::ServiceAccount,
        Self::Service,
        Self::ConfigMap,
        Self::NetworkPolicy,
        Self::PodDisruptionBudget,
        Self::Deployment,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAccount => "ServiceAccount",
            Self::Service => "Service",
            Self::ConfigMap => "ConfigMap",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::Deployment => "Deployment",
        }
    }

    /// How the API server calls it.
    pub fn api(self) -> ApiResource {
        match self {
            Self::ServiceAccount => ApiResource::erase::<ServiceAccount>(&()),
            Self::Service => ApiResource::erase::<Service>(&()),
            Self::ConfigMap => ApiResource::erase::<ConfigMap>(&()),
            Self::NetworkPolicy => ApiResource::erase::<NetworkPolicy>(&()),
            Self::PodDisruptionBudget => ApiResource::erase::<PodDisruptionBudget>(&()),
            Self::Deployment => ApiResource::erase::<Deployment>(&()),
        }
    }
}

/// What one object of ours should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// All that we say of it, with `apiVersion` and `kind`.
    pub object: Value,
}

impl Child {
    /// What `object` should be.
    pub fn new<K>(kind: ChildKind, object: &K) -> Self
    where
        K: Resource<DynamicType = ()> + Serialize,
    {
        // These types are structs of strings, numbers, lists and maps with string keys: they always are JSON.
        let object_value = serde_json::to_value(object).unwrap_or_default();
        Self {
            kind,
            name: object.name_any(),
            object: drift::without_nulls(object_value),
        }
    }

    /// Adds labels to the object itself, where it has none of the same key.
    pub fn label(&mut self, further: &Labels) {
        let labels = self
            .object
            .pointer_mut("/metadata/labels")
            .and_then(Value::as_object_mut);
        if let Some(labels) = labels {
            for (key, value) in further {
                labels
                    .entry(key.as_str())
                    .or_insert_with(|| value.as_str().into());
            }
        }
    }
}
