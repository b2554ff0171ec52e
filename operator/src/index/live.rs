//! Our own objects.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::api::DynamicObject;
use kube::core::PartialObjectMeta;

use super::objects::Objects;
use crate::child::ChildKind;

/// Our own objects, and the metadata of all Secrets.
#[derive(Default)]
pub struct Live {
    accounts: Arc<Objects<DynamicObject>>,
    services: Arc<Objects<DynamicObject>>,
    config_maps: Arc<Objects<DynamicObject>>,
    network_policies: Arc<Objects<DynamicObject>>,
    disruption_budgets: Arc<Objects<DynamicObject>>,
    deployments: Arc<Objects<DynamicObject>>,
    secrets: Arc<Objects<PartialObjectMeta<Secret>>>,
}

impl Live {
    /// Our objects of a kind.
    pub fn children(&self, kind: ChildKind) -> &Arc<Objects<DynamicObject>> {
        match kind {
            ChildKind::ServiceAccount => &self.accounts,
            ChildKind::Service => &self.services,
            ChildKind::ConfigMap => &self.config_maps,
            ChildKind::NetworkPolicy => &self.network_policies,
            ChildKind::PodDisruptionBudget => &self.disruption_budgets,
            ChildKind::Deployment => &self.deployments,
        }
    }

    /// Gives up everything of a namespace.
    pub(super) fn evict(&self, namespace: &str) {
        for kind in ChildKind::ALL {
            self.children(kind).evict(namespace);
        }
        self.secrets.evict(namespace);
    }

    /// The metadata of all Secrets, ours and others'.
    pub fn secrets(&self) -> &Arc<Objects<PartialObjectMeta<Secret>>> {
        &self.secrets
    }
}
