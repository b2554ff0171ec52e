//! What confines a pod and its containers: PodSecurity `restricted`, and a root file system that can't be written.

use k8s_openapi::api::core::v1::{
    Capabilities, PodSecurityContext, SELinuxOptions, SeccompProfile, SecurityContext,
};
use monstrum_crds::kinds::PodSettings;
use monstrum_crds::kinds::pod::{PodSecurity, SeLinux};

/// The user and group of every process of ours, where nothing else is said.
const USER: i64 = 65_532;

/// Of a pod.
pub(super) fn of_pod(settings: &PodSettings) -> PodSecurityContext {
    let said = settings.security_context.clone().unwrap_or_default();
    PodSecurityContext {
        fs_group: id(&said, said.fs_group),
        run_as_group: id(&said, said.run_as_group),
        run_as_non_root: Some(true),
        run_as_user: id(&said, said.run_as_user),
        seccomp_profile: Some(seccomp()),
        se_linux_options: said.se_linux_options.as_ref().map(se_linux),
        ..PodSecurityContext::default()
    }
}

/// Of a container.
pub(crate) fn unprivileged(settings: &PodSettings) -> SecurityContext {
    let said = settings.security_context.clone().unwrap_or_default();
    SecurityContext {
        privileged: Some(false),
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities {
            drop: Some(vec!["ALL".to_owned()]),
            add: None,
        }),
        read_only_root_filesystem: Some(true),
        run_as_non_root: Some(true),
        run_as_user: id(&said, said.run_as_user),
        run_as_group: id(&said, said.run_as_group),
        seccomp_profile: Some(seccomp()),
        ..SecurityContext::default()
    }
}

/// A platform that assigns ids from a namespace's range refuses any other, and puts its own where there is none.
fn id(said: &PodSecurity, id: Option<i64>) -> Option<i64> {
    let assigned = said.assigned_by_platform == Some(true);
    id.or_else(|| (!assigned).then_some(USER))
}

fn seccomp() -> SeccompProfile {
    SeccompProfile {
        type_: "RuntimeDefault".to_owned(),
        localhost_profile: None,
    }
}

fn se_linux(said: &SeLinux) -> SELinuxOptions {
    SELinuxOptions {
        level: said.level.clone(),
        type_: said.type_.map(|type_| type_.as_str().to_owned()),
        ..SELinuxOptions::default()
    }
}
