//! What objects may say about the pods that are made for them, as an installation permits it.
//!
//! A toleration reaches nodes that others are kept from, a node selector chooses among all of them, a `RuntimeClass` can carry both
//! and another isolation besides. A priority evicts others, a label or an annotation is read by whatever else runs in the cluster
//! (a mesh, a policy, a Service that selects by it), a variable can change what a process does, a pull secret opens somebody's
//! images. Whoever may write a Bot has none of these by that alone. How much a container may use is no part of this: quotas and limit
//! ranges bound it.

mod toleration;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::kinds::pod::{Affinity, NodeOperator, NodeRequirement, Toleration};
use toleration::covers;

/// What objects may say about their pods. What is not listed is not permitted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Placement {
    /// Tolerations that may be asked for: these, and narrower ones.
    pub tolerations: Vec<Toleration>,
    /// Labels of nodes that may be selected by, each with the values that may be chosen.
    pub node_selector: BTreeMap<String, BTreeSet<String>>,
    /// Each `RuntimeClass` that may be chosen.
    pub runtime_class_names: BTreeSet<String>,
    /// Each `PriorityClass` that may be chosen.
    pub priority_class_names: BTreeSet<String>,
    /// Node labels by which pods may be spread, or kept near or away from other pods of their namespace.
    pub topology_keys: BTreeSet<String>,
    /// Keys of labels that pods may be given; one that ends in `/*` stands for all with that prefix.
    pub labels: BTreeSet<String>,
    /// Keys of annotations that pods may be given, likewise.
    pub annotations: BTreeSet<String>,
    /// Names of environment variables that containers may be given.
    pub env: BTreeSet<String>,
    /// Secrets that images may be pulled with.
    pub image_pull_secrets: BTreeSet<String>,
    /// Whether user, groups and `SELinux` labels may be chosen.
    pub security_context: bool,
}

impl Placement {
    /// Whether a toleration may be asked for.
    pub fn tolerates(&self, asked: &Toleration) -> bool {
        self.tolerations.iter().any(|permitted| covers(permitted, asked))
    }

    /// Whether nodes with this label may be chosen.
    pub fn selects(&self, label: &str, value: &str) -> bool {
        self.node_selector
            .get(label)
            .is_some_and(|values| values.contains(value))
    }

    /// Whether this `RuntimeClass` may be chosen.
    pub fn runs_as(&self, class: &str) -> bool {
        self.runtime_class_names.contains(class)
    }

    /// The parts of an affinity that may not be asked for, each with its place below it.
    pub fn beyond(&self, affinity: &Affinity) -> Vec<(String, &'static str)> {
        let nodes = affinity
            .node_requirements()
            .into_iter()
            .filter(|(_, requirement)| !self.requires(requirement))
            .map(|(field, _)| (field, "nodeSelector"));
        let pods = affinity
            .pod_topology_keys()
            .into_iter()
            .filter(|(_, key)| !self.topology_keys.contains(*key))
            .map(|(field, _)| (field, "topologyKeys"));
        nodes.chain(pods).collect()
    }

    /// Only what names values can be held against a list: every other comparison reaches nodes that nobody listed.
    fn requires(&self, requirement: &NodeRequirement) -> bool {
        let mut values = requirement.values.iter();
        requirement.operator == NodeOperator::In
            && !requirement.values.is_empty()
            && values.all(|value| self.selects(&requirement.key, value))
    }
}

/// Whether a list of keys names `key`, itself or by its prefix.
pub(crate) fn names(keys: &BTreeSet<String>, key: &str) -> bool {
    let by_prefix = key
        .split_once('/')
        .is_some_and(|(prefix, _)| keys.contains(&format!("{prefix}/*")));
    keys.contains(key) || by_prefix
}

#[cfg(test)]
mod tests;
