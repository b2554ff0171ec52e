//! Kubernetes' Pod Security Standards, level `restricted`, as far as our pods could break it. For tests.
//!
//! <https://kubernetes.io/docs/concepts/security/pod-security-standards/>

use k8s_openapi::api::core::v1::{Container, PodSpec, Volume};

/// What of a pod the level refuses; empty when it is admitted.
pub(crate) fn violations(pod: &PodSpec) -> Vec<String> {
    let mut found = Vec::new();
    for (name, set) in [
        ("hostNetwork", pod.host_network),
        ("hostPID", pod.host_pid),
        ("hostIPC", pod.host_ipc),
        ("shareProcessNamespace", pod.share_process_namespace),
    ] {
        if set == Some(true) {
            found.push(name.to_owned());
        }
    }
    found.extend(
        pod.volumes
            .iter()
            .flatten()
            .filter(|volume| !is_permitted(volume))
            .map(|volume| format!("volume {}", volume.name)),
    );
    for container in pod.containers.iter().chain(pod.init_containers.iter().flatten()) {
        found.extend(
            of_container(pod, container)
                .into_iter()
                .map(|what| format!("container {}: {what}", container.name)),
        );
    }
    found
}

fn is_permitted(volume: &Volume) -> bool {
    volume.config_map.is_some()
        || volume.empty_dir.is_some()
        || volume.secret.is_some()
        || volume.projected.is_some()
        || volume.downward_api.is_some()
        || volume.persistent_volume_claim.is_some()
}

fn of_container(pod: &PodSpec, container: &Container) -> Vec<&'static str> {
    let own = container.security_context.clone().unwrap_or_default();
    let pods = pod.security_context.clone().unwrap_or_default();
    let mut found = Vec::new();
    let mut check = |fine: bool, what| {
        if !fine {
            found.push(what);
        }
    };
    check(own.privileged != Some(true), "privileged");
    check(
        own.allow_privilege_escalation == Some(false),
        "allowPrivilegeEscalation",
    );
    check(
        own.run_as_non_root.or(pods.run_as_non_root) == Some(true),
        "runAsNonRoot",
    );
    check(own.run_as_user.or(pods.run_as_user) != Some(0), "runAsUser");
    let capabilities = own.capabilities.unwrap_or_default();
    check(
        capabilities.drop.iter().flatten().any(|name| name == "ALL"),
        "capabilities.drop",
    );
    check(
        capabilities
            .add
            .iter()
            .flatten()
            .all(|name| name == "NET_BIND_SERVICE"),
        "capabilities.add",
    );
    let seccomp = own
        .seccomp_profile
        .or(pods.seccomp_profile)
        .map(|profile| profile.type_);
    check(
        matches!(seccomp.as_deref(), Some("RuntimeDefault" | "Localhost")),
        "seccompProfile",
    );
    check(
        pods.se_linux_options.is_none_or(|labels| {
            let confined = [
                "container_t",
                "container_init_t",
                "container_kvm_t",
                "container_engine_t",
            ];
            labels.user.is_none()
                && labels.role.is_none()
                && labels
                    .type_
                    .is_none_or(|type_| confined.contains(&type_.as_str()))
        }),
        "seLinuxOptions of the pod",
    );
    check(
        own.proc_mount.is_none() && own.se_linux_options.is_none(),
        "procMount, seLinuxOptions",
    );
    check(
        container
            .ports
            .iter()
            .flatten()
            .all(|port| port.host_port.is_none()),
        "hostPort",
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_pod_is_refused() {
        let pod = PodSpec {
            containers: vec![Container {
                name: "c".into(),
                ..Container::default()
            }],
            ..PodSpec::default()
        };
        let found = violations(&pod).join("\n");
        for part in [
            "allowPrivilegeEscalation",
            "runAsNonRoot",
            "capabilities.drop",
            "seccompProfile",
        ] {
            assert!(found.contains(part), "{found}");
        }
    }
}
