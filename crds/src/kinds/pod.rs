//! How pods are labelled, sized, placed and run: one set of settings, in objects and in the chart's values alike.
//!
//! It has what may be different from pod to pod without making it less confined. What confines a pod (capabilities, seccomp,
//! mounts, host namespaces, commands) is not in it, so that no setting can take it away.

mod affinity;
mod security;
mod toleration;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use affinity::{
    Affinity, NodeAffinity, NodeOperator, NodePreference, NodeRequirement, NodeTerm, NodeTerms, PodAffinity,
    PodLabels, PodPreference, PodTerm, TopologySpread, Unsatisfiable,
};
pub use security::{PodSecurity, SeLinux, SeLinuxType};
pub use toleration::{TaintEffect, Toleration, TolerationOperator};

use crate::schema;

/// How pods are labelled, sized, placed and run. What is absent is as the installation has it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodSettings {
    /// Further labels, as far as the installation permits their keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::label_values")]
    pub labels: BTreeMap<String, String>,
    /// Further annotations, as far as the installation permits their keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::annotations")]
    pub annotations: BTreeMap<String, String>,
    /// Size and environment of containers, by name: `gateway`, `runner`, `channel`, or in a sandbox `sandbox` and `inject` (which
    /// puts the runner in, and ends).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::containers")]
    pub containers: BTreeMap<String, ContainerSettings>,
    /// Labels that a node must carry to run the pods, as far as the installation permits to choose by them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub node_selector: BTreeMap<String, String>,
    /// Which nodes the pods need or prefer, and which pods they keep near or away from, as far as the installation permits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// How the pods are spread, as far as the installation permits the topology keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["topologyKey".into(), "whenUnsatisfiable".into()]))]
    pub topology_spread_constraints: Vec<TopologySpread>,
    /// Taints that the pods tolerate, as far as the installation permits it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub tolerations: Vec<Toleration>,
    /// The PriorityClass of the pods, as far as the installation permits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN))]
    pub priority_class_name: Option<String>,
    /// The RuntimeClass of the pods, for example one of gVisor or Kata Containers, as far as the installation permits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN))]
    pub runtime_class_name: Option<String>,
    /// Further Secrets that images are pulled with, in the pods' namespace, as far as the installation permits them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub image_pull_secrets: Vec<PullSecret>,
    /// User, groups and SELinux labels, as far as the installation permits to choose them. Everything else that confines a pod is
    /// fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_context: Option<PodSecurity>,
}

/// Size and environment of one container.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerSettings {
    /// CPU and memory. What is absent keeps the installation's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ComputeResources>,
    /// Further environment variables, plain values by name, as far as the installation permits the names. None of the
    /// operator's own can be replaced.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::environment")]
    pub env: BTreeMap<String, String>,
}

/// What a container asks for and what it may use at most.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComputeResources {
    /// What is reserved for the container, for example `cpu: 100m` and `memory: 64Mi`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::quantities")]
    pub requests: BTreeMap<String, Quantity>,
    /// What the container may use at most.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::quantities")]
    pub limits: BTreeMap<String, Quantity>,
}

/// A Secret that images are pulled with.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PullSecret {
    /// Its name.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN))]
    pub name: String,
}

impl PodSettings {
    /// These settings where they say something, and `base` where they don't: maps are merged by key, pull secrets are those of
    /// both, any other list or value replaces the one of `base`.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        Self {
            labels: merged(&base.labels, &self.labels),
            annotations: merged(&base.annotations, &self.annotations),
            containers: self.containers_over(base),
            node_selector: merged(&base.node_selector, &self.node_selector),
            affinity: self.affinity.clone().or_else(|| base.affinity.clone()),
            topology_spread_constraints: said(
                &self.topology_spread_constraints,
                &base.topology_spread_constraints,
            ),
            tolerations: said(&self.tolerations, &base.tolerations),
            priority_class_name: self
                .priority_class_name
                .clone()
                .or_else(|| base.priority_class_name.clone()),
            runtime_class_name: self
                .runtime_class_name
                .clone()
                .or_else(|| base.runtime_class_name.clone()),
            image_pull_secrets: self.pull_secrets_with(base),
            security_context: PodSecurity::over(
                self.security_context.as_ref(),
                base.security_context.as_ref(),
            ),
        }
    }

    fn containers_over(&self, base: &Self) -> BTreeMap<String, ContainerSettings> {
        let mut containers = base.containers.clone();
        for (name, container) in &self.containers {
            let merged = container.over(containers.get(name));
            containers.insert(name.clone(), merged);
        }
        containers
    }

    fn pull_secrets_with(&self, base: &Self) -> Vec<PullSecret> {
        let mut all = base.image_pull_secrets.clone();
        let further = self.image_pull_secrets.iter();
        all.extend(
            further
                .filter(|secret| !base.image_pull_secrets.contains(secret))
                .cloned(),
        );
        all
    }
}

impl ContainerSettings {
    fn over(&self, base: Option<&Self>) -> Self {
        let Some(base) = base else { return self.clone() };
        let resources = match (&self.resources, &base.resources) {
            (Some(own), Some(base)) => Some(ComputeResources {
                requests: merged(&base.requests, &own.requests),
                limits: merged(&base.limits, &own.limits),
            }),
            (own, base) => own.clone().or_else(|| base.clone()),
        };
        Self {
            resources,
            env: merged(&base.env, &self.env),
        }
    }
}

fn merged<V: Clone>(base: &BTreeMap<String, V>, own: &BTreeMap<String, V>) -> BTreeMap<String, V> {
    let mut all = base.clone();
    all.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
    all
}

fn said<T: Clone>(own: &[T], base: &[T]) -> Vec<T> {
    if own.is_empty() {
        base.to_vec()
    } else {
        own.to_vec()
    }
}

#[cfg(test)]
mod tests;
