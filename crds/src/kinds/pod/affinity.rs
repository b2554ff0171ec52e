//! Which nodes a pod needs or prefers, and which pods it keeps near or away from.
//!
//! As in a Pod, without what reaches beyond the pod's own namespace.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as k8s;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// Which nodes the pods need or prefer, and which pods they keep near or away from.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Affinity {
    /// Which nodes they need or prefer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_affinity: Option<NodeAffinity>,
    /// Which pods of their namespace they keep near.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_affinity: Option<PodAffinity>,
    /// Which pods of their namespace they keep away from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_anti_affinity: Option<PodAffinity>,
}

/// Which nodes pods need or prefer.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeAffinity {
    /// What a node must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_during_scheduling_ignored_during_execution: Option<NodeTerms>,
    /// What a node had better have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub preferred_during_scheduling_ignored_during_execution: Vec<NodePreference>,
}

/// Terms of which one must hold.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeTerms {
    /// The terms.
    #[schemars(length(min = 1, max = 8))]
    pub node_selector_terms: Vec<NodeTerm>,
}

/// What holds of a node when all of it does.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeTerm {
    /// What its labels must say.
    #[schemars(length(min = 1, max = 8))]
    pub match_expressions: Vec<NodeRequirement>,
}

/// A term with a weight.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodePreference {
    /// How much it counts.
    #[schemars(range(min = 1, max = 100))]
    pub weight: i32,
    /// The term.
    pub preference: NodeTerm,
}

/// What one label of a node must be.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeRequirement {
    /// The label.
    #[schemars(length(min = 1, max = 316))]
    pub key: String,
    /// How it is compared.
    pub operator: NodeOperator,
    /// The values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 63)))]
    pub values: Vec<String>,
}

/// How a node's label is compared.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::undescribed)]
pub enum NodeOperator {
    /// It has one of the values.
    In,
    /// It has none of them.
    NotIn,
    /// It is there.
    Exists,
    /// It isn't.
    DoesNotExist,
}

/// Which pods of the same namespace others keep near or away from.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodAffinity {
    /// What must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub required_during_scheduling_ignored_during_execution: Vec<PodTerm>,
    /// What had better hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub preferred_during_scheduling_ignored_during_execution: Vec<PodPreference>,
}

/// Pods, and what counts as one place.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodTerm {
    /// The node label whose value makes nodes one place, for example `kubernetes.io/hostname`.
    #[schemars(length(min = 1, max = 316))]
    pub topology_key: String,
    /// Which pods. Absent means those of the same workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<PodLabels>,
}

/// A term with a weight.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodPreference {
    /// How much it counts.
    #[schemars(range(min = 1, max = 100))]
    pub weight: i32,
    /// The term.
    pub pod_affinity_term: PodTerm,
}

/// Labels of pods.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodLabels {
    /// Labels that they have.
    #[schemars(schema_with = "schema::label_values")]
    pub match_labels: BTreeMap<String, String>,
}

/// How the pods of one workload are spread.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopologySpread {
    /// The node label whose value makes nodes one place, for example `topology.kubernetes.io/zone`.
    #[schemars(length(min = 1, max = 316))]
    pub topology_key: String,
    /// By how many pods places may differ.
    #[schemars(range(min = 1, max = 64))]
    pub max_skew: i32,
    /// What happens to a pod that can't be placed so.
    pub when_unsatisfiable: Unsatisfiable,
    /// In how many places pods should be at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub min_domains: Option<i32>,
    /// Which pods are counted. Absent means those of the same workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<PodLabels>,
}

/// What happens to a pod that can't be placed as it should.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::undescribed)]
pub enum Unsatisfiable {
    /// It waits.
    DoNotSchedule,
    /// It is placed all the same.
    ScheduleAnyway,
}

impl Affinity {
    /// Every requirement on a node's labels, with its place below the affinity.
    pub fn node_requirements(&self) -> Vec<(String, &NodeRequirement)> {
        let Some(node) = &self.node_affinity else {
            return Vec::new();
        };
        let required = node.required_during_scheduling_ignored_during_execution.iter();
        let required = required
            .flat_map(|terms| &terms.node_selector_terms)
            .map(|term| ("required", term));
        let preferred = node.preferred_during_scheduling_ignored_during_execution.iter();
        let preferred = preferred.map(|preference| ("preferred", &preference.preference));
        required
            .chain(preferred)
            .flat_map(|(sort, term)| {
                let field = format!("nodeAffinity.{sort}DuringSchedulingIgnoredDuringExecution");
                term.match_expressions
                    .iter()
                    .map(move |requirement| (field.clone(), requirement))
            })
            .collect()
    }

    /// Every topology key of a term about pods, with its place below the affinity.
    pub fn pod_topology_keys(&self) -> Vec<(String, &str)> {
        let sides = [
            ("podAffinity", &self.pod_affinity),
            ("podAntiAffinity", &self.pod_anti_affinity),
        ];
        let terms = sides.into_iter().flat_map(|(side, affinity)| {
            let affinity = affinity.as_ref();
            let required = affinity.map(|pods| &pods.required_during_scheduling_ignored_during_execution);
            let preferred = affinity.map(|pods| &pods.preferred_during_scheduling_ignored_during_execution);
            let required = required.into_iter().flatten();
            let preferred = preferred
                .into_iter()
                .flatten()
                .map(|term| &term.pod_affinity_term);
            required.chain(preferred).map(move |term| (side, term))
        });
        terms
            .map(|(side, term)| (side.to_owned(), term.topology_key.as_str()))
            .collect()
    }

    /// As a Pod has it; where no pods are named, those that `own` finds.
    pub fn to_pod(&self, own: &BTreeMap<String, String>) -> k8s::Affinity {
        k8s::Affinity {
            node_affinity: self.node_affinity.as_ref().map(NodeAffinity::to_pod),
            pod_affinity: self.pod_affinity.as_ref().map(|pods| {
                let (required, preferred) = pods.to_pod(own);
                k8s::PodAffinity {
                    required_during_scheduling_ignored_during_execution: required,
                    preferred_during_scheduling_ignored_during_execution: preferred,
                }
            }),
            pod_anti_affinity: self.pod_anti_affinity.as_ref().map(|pods| {
                let (required, preferred) = pods.to_pod(own);
                k8s::PodAntiAffinity {
                    required_during_scheduling_ignored_during_execution: required,
                    preferred_during_scheduling_ignored_during_execution: preferred,
                }
            }),
        }
    }
}

impl NodeAffinity {
    fn to_pod(&self) -> k8s::NodeAffinity {
        let required = self.required_during_scheduling_ignored_during_execution.as_ref();
        let preferred = self.preferred_during_scheduling_ignored_during_execution.iter();
        let preferred: Vec<_> = preferred
            .map(|preference| k8s::PreferredSchedulingTerm {
                weight: preference.weight,
                preference: preference.preference.to_pod(),
            })
            .collect();
        k8s::NodeAffinity {
            required_during_scheduling_ignored_during_execution: required.map(|terms| k8s::NodeSelector {
                node_selector_terms: terms.node_selector_terms.iter().map(NodeTerm::to_pod).collect(),
            }),
            preferred_during_scheduling_ignored_during_execution: (!preferred.is_empty())
                .then_some(preferred),
        }
    }
}

impl NodeTerm {
    fn to_pod(&self) -> k8s::NodeSelectorTerm {
        let expressions = self.match_expressions.iter().map(|requirement| {
            let values = requirement.values.clone();
            k8s::NodeSelectorRequirement {
                key: requirement.key.clone(),
                operator: format!("{:?}", requirement.operator),
                values: (!values.is_empty()).then_some(values),
            }
        });
        k8s::NodeSelectorTerm {
            match_expressions: Some(expressions.collect()),
            match_fields: None,
        }
    }
}

type PodTerms = (
    Option<Vec<k8s::PodAffinityTerm>>,
    Option<Vec<k8s::WeightedPodAffinityTerm>>,
);

impl PodAffinity {
    fn to_pod(&self, own: &BTreeMap<String, String>) -> PodTerms {
        let required = self.required_during_scheduling_ignored_during_execution.iter();
        let required: Vec<_> = required.map(|term| term.to_pod(own)).collect();
        let preferred = self.preferred_during_scheduling_ignored_during_execution.iter();
        let preferred: Vec<_> = preferred
            .map(|preference| k8s::WeightedPodAffinityTerm {
                weight: preference.weight,
                pod_affinity_term: preference.pod_affinity_term.to_pod(own),
            })
            .collect();
        (
            (!required.is_empty()).then_some(required),
            (!preferred.is_empty()).then_some(preferred),
        )
    }
}

impl PodTerm {
    fn to_pod(&self, own: &BTreeMap<String, String>) -> k8s::PodAffinityTerm {
        k8s::PodAffinityTerm {
            label_selector: Some(selector(self.label_selector.as_ref(), own)),
            topology_key: self.topology_key.clone(),
            ..k8s::PodAffinityTerm::default()
        }
    }
}

impl TopologySpread {
    /// As a Pod has it; where no pods are named, those that `own` finds.
    pub fn to_pod(&self, own: &BTreeMap<String, String>) -> k8s::TopologySpreadConstraint {
        k8s::TopologySpreadConstraint {
            topology_key: self.topology_key.clone(),
            max_skew: self.max_skew,
            when_unsatisfiable: format!("{:?}", self.when_unsatisfiable),
            min_domains: self.min_domains,
            label_selector: Some(selector(self.label_selector.as_ref(), own)),
            ..k8s::TopologySpreadConstraint::default()
        }
    }
}

fn selector(named: Option<&PodLabels>, own: &BTreeMap<String, String>) -> LabelSelector {
    let labels = named.map_or(own, |pods| &pods.match_labels);
    LabelSelector {
        // An API server keeps no empty one.
        match_labels: (!labels.is_empty()).then(|| labels.clone()),
        match_expressions: None,
    }
}
