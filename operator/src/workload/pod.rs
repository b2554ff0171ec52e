//! A Deployment around containers.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Affinity, Container, EmptyDirVolumeSource, KeyToPath, LocalObjectReference, PodAffinityTerm,
    PodAntiAffinity, PodSpec, PodTemplateSpec, SecretVolumeSource, Toleration, TopologySpreadConstraint,
    Volume, WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use monstrum_crds::kinds::PodSettings;

use crate::child::{Labels, Owner};

/// Time for a drain (25 s) and a little more.
const GRACE_SECONDS: i64 = 30;

/// What a Deployment is made of.
pub(crate) struct Workload<'a> {
    pub(crate) owner: &'a Owner,
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) selector: Labels,
    pub(crate) replicas: i32,
    pub(crate) service_account: Option<String>,
    pub(crate) settings: &'a PodSettings,
    pub(crate) init: Vec<Container>,
    pub(crate) container: Container,
    pub(crate) volumes: Vec<Volume>,
}

/// The Deployment: a new pod is ready before an old one goes.
pub(crate) fn deployment(workload: Workload<'_>) -> Deployment {
    let rolling = RollingUpdateDeployment {
        max_unavailable: Some(IntOrString::Int(0)),
        max_surge: Some(IntOrString::Int(1)),
    };
    let settings = workload.settings;
    let annotations = settings.annotations.clone();
    let mut labels = settings.labels.clone();
    labels.extend(workload.labels.clone());
    Deployment {
        metadata: workload.owner.metadata(&workload.name, workload.labels.clone()),
        spec: Some(DeploymentSpec {
            replicas: Some(workload.replicas),
            revision_history_limit: Some(2),
            selector: LabelSelector {
                match_labels: Some(workload.selector.clone()),
                ..LabelSelector::default()
            },
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(rolling),
            }),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels),
                    annotations: (!annotations.is_empty()).then_some(annotations),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(workload)),
            },
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn pod(workload: Workload<'_>) -> PodSpec {
    let settings = workload.settings;
    let tolerations: Vec<Toleration> = settings.tolerations.iter().map(Into::into).collect();
    let selector = settings.node_selector.clone();
    let pull_secrets = settings.image_pull_secrets.iter();
    let pull_secrets: Vec<_> = pull_secrets
        .map(|secret| LocalObjectReference {
            name: secret.name.clone(),
        })
        .collect();
    let constraints: Vec<_> = spread(&workload);
    PodSpec {
        affinity: affinity(&workload),
        topology_spread_constraints: (!constraints.is_empty()).then_some(constraints),
        priority_class_name: settings.priority_class_name.clone(),
        // Said although they are the defaults: what is said is put back when somebody else says otherwise.
        host_network: Some(false),
        host_pid: Some(false),
        host_ipc: Some(false),
        share_process_namespace: Some(false),
        dns_policy: Some("ClusterFirst".to_owned()),
        restart_policy: Some("Always".to_owned()),
        automount_service_account_token: Some(false),
        // Addresses of every Service of the namespace are nothing that these processes need to know.
        enable_service_links: Some(false),
        service_account_name: workload.service_account,
        security_context: Some(super::security::of_pod(settings)),
        runtime_class_name: settings.runtime_class_name.clone(),
        node_selector: (!selector.is_empty()).then_some(selector),
        tolerations: (!tolerations.is_empty()).then_some(tolerations),
        image_pull_secrets: (!pull_secrets.is_empty()).then_some(pull_secrets),
        termination_grace_period_seconds: Some(GRACE_SECONDS),
        init_containers: (!workload.init.is_empty()).then_some(workload.init),
        containers: vec![workload.container],
        volumes: Some(workload.volumes),
        ..PodSpec::default()
    }
}

fn spread(workload: &Workload<'_>) -> Vec<TopologySpreadConstraint> {
    let constraints = workload.settings.topology_spread_constraints.iter();
    constraints
        .map(|constraint| constraint.to_pod(&workload.selector))
        .collect()
}

/// As it is said; where nothing is, several pods are rather on different nodes.
fn affinity(workload: &Workload<'_>) -> Option<Affinity> {
    let said = workload.settings.affinity.as_ref();
    said.map(|affinity| affinity.to_pod(&workload.selector))
        .or_else(|| (workload.replicas > 1).then(|| apart(&workload.selector)))
}

/// Rather on different nodes.
fn apart(selector: &Labels) -> Affinity {
    let term = PodAffinityTerm {
        label_selector: Some(LabelSelector {
            match_labels: Some(selector.clone()),
            ..LabelSelector::default()
        }),
        topology_key: "kubernetes.io/hostname".to_owned(),
        ..PodAffinityTerm::default()
    };
    let preferred = vec![WeightedPodAffinityTerm {
        weight: 100,
        pod_affinity_term: term,
    }];
    Affinity {
        pod_anti_affinity: Some(PodAntiAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(preferred),
            ..PodAntiAffinity::default()
        }),
        ..Affinity::default()
    }
}

/// A folder that lives as long as the pod.
pub(crate) fn empty_dir(name: &str, size: Option<Quantity>) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource {
            size_limit: size,
            ..EmptyDirVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// The pod's certificate.
pub(crate) fn tls_volume(secret: &str) -> Volume {
    secret_volume("tls", secret, None)
}

/// A Secret; only `key`, under another name, when `item` says so.
pub(crate) fn secret_volume(name: &str, secret: &str, item: Option<(&str, &str)>) -> Volume {
    let items = item.map(|(key, path)| {
        vec![KeyToPath {
            key: key.to_owned(),
            path: path.to_owned(),
            mode: None,
        }]
    });
    Volume {
        name: name.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(secret.to_owned()),
            default_mode: Some(0o440),
            items,
            optional: None,
        }),
        ..Volume::default()
    }
}
