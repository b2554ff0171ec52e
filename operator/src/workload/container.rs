//! One container.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction, ObjectFieldSelector, Probe,
    ResourceRequirements, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use monstrum_crds::kinds::PodSettings;
use monstrum_crds::validate::pod::is_our_variable;

use super::unprivileged;
use crate::installation::{ADMIN_PORT, Installation};

/// What a container asks for and may use where the user does not say.
const DEFAULT_REQUESTS: [(&str, &str); 2] = [("cpu", "10m"), ("memory", "32Mi")];
const DEFAULT_LIMITS: [(&str, &str); 1] = [("memory", "256Mi")];

/// A container of one of our processes: its admin port, its probes, no privileges.
pub(crate) fn container(
    name: &str,
    image: &str,
    command: &[&str],
    settings: &PodSettings,
    installation: &Installation,
) -> Container {
    let mut variables = further(name, settings);
    variables.extend([
        env("MONSTRUM_TRUST_DOMAIN", &installation.trust_domain),
        pod_field("POD_NAME", "metadata.name"),
    ]);
    Container {
        name: name.to_owned(),
        image: Some(image.to_owned()),
        image_pull_policy: Some(installation.pull_policy.clone()),
        command: Some(command.iter().map(|&word| word.to_owned()).collect()),
        env: Some(variables),
        ports: Some(vec![port("admin", ADMIN_PORT)]),
        liveness_probe: Some(probe("/healthz", 10, 3)),
        readiness_probe: Some(probe("/readyz", 1, 2)),
        resources: Some(resources(name, settings)),
        security_context: Some(unprivileged(settings)),
        ..Container::default()
    }
}

/// A port with a name.
pub(crate) fn port(name: &str, port: i32) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: port,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

/// An environment variable.
pub(crate) fn env(name: &str, value: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        ..EnvVar::default()
    }
}

/// An environment variable with a field of the pod itself.
pub(crate) fn pod_field(name: &str, path: &str) -> EnvVar {
    let field = ObjectFieldSelector {
        api_version: Some("v1".to_owned()),
        field_path: path.to_owned(),
    };
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource {
            field_ref: Some(field),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }
}

/// A volume's place in a container.
pub(crate) fn mount(volume: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}

/// The variables that users and installation give a container: none that is ours to set.
pub(crate) fn further(name: &str, settings: &PodSettings) -> Vec<EnvVar> {
    let said = settings.containers.get(name).map(|container| &container.env);
    let said = said.into_iter().flatten();
    said.filter(|(variable, _)| !is_our_variable(variable))
        .map(|(variable, value)| EnvVar {
            name: variable.clone(),
            // The API server keeps no empty one, and a kubelet takes `$(NAME)` for another variable unless it is doubled.
            value: (!value.is_empty()).then(|| value.replace('$', "$$")),
            ..EnvVar::default()
        })
        .collect()
}

/// What the user says of a container, over the defaults.
pub(crate) fn resources(name: &str, settings: &PodSettings) -> ResourceRequirements {
    let said = settings.containers.get(name);
    let said = said
        .and_then(|container| container.resources.clone())
        .unwrap_or_default();
    let mut limits = quantities(&DEFAULT_LIMITS);
    limits.extend(said.limits);
    let mut requests = quantities(&DEFAULT_REQUESTS);
    // A default request above a limit that the user set would be refused.
    requests.retain(|name, _| said.requests.contains_key(name) || limits_default(name, &limits));
    requests.extend(said.requests);
    ResourceRequirements {
        limits: Some(limits),
        requests: Some(requests),
        claims: None,
    }
}

fn limits_default(name: &str, limits: &BTreeMap<String, Quantity>) -> bool {
    let default = DEFAULT_LIMITS.iter().find(|(limited, _)| *limited == name);
    limits.get(name).map(|limit| limit.0.as_str()) == default.map(|(_, value)| *value)
}

fn quantities(values: &[(&str, &str)]) -> BTreeMap<String, Quantity> {
    values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Quantity((*value).to_owned())))
        .collect()
}

fn probe(path: &str, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("admin".to_owned()),
            scheme: Some("HTTP".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        timeout_seconds: Some(2),
        ..Probe::default()
    }
}
