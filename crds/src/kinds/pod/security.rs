//! As whom a pod runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// As whom a pod runs: never as root, whatever is said.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodSecurity {
    /// User, group and group of volumes are left out where they are not said, for a platform that assigns them from a namespace's
    /// range as OpenShift does. Default: `false`, and each of them is 65532.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_by_platform: Option<bool>,
    /// The user of every process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub run_as_user: Option<i64>,
    /// The group of every process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub run_as_group: Option<i64>,
    /// The group that volumes are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub fs_group: Option<i64>,
    /// The SELinux labels of every process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub se_linux_options: Option<SeLinux>,
}

/// SELinux labels that the Pod Security Standard `restricted` admits.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeLinux {
    /// The level, for example `s0:c123,c456`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[a-zA-Z0-9:,.-]+$"))]
    pub level: Option<String>,
    /// The type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<SeLinuxType>,
}

/// A confined type.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::undescribed)]
#[serde(rename_all = "snake_case")]
pub enum SeLinuxType {
    /// `container_t`.
    ContainerT,
    /// `container_init_t`.
    ContainerInitT,
    /// `container_kvm_t`, of Kata Containers.
    ContainerKvmT,
    /// `container_engine_t`.
    ContainerEngineT,
}

impl SeLinuxType {
    /// As SELinux calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContainerT => "container_t",
            Self::ContainerInitT => "container_init_t",
            Self::ContainerKvmT => "container_kvm_t",
            Self::ContainerEngineT => "container_engine_t",
        }
    }
}

impl PodSecurity {
    /// `own` where it says something, `base` where it doesn't.
    pub(super) fn over(own: Option<&Self>, base: Option<&Self>) -> Option<Self> {
        let (Some(own), Some(base)) = (own, base) else {
            return own.or(base).cloned();
        };
        Some(Self {
            assigned_by_platform: own.assigned_by_platform.or(base.assigned_by_platform),
            run_as_user: own.run_as_user.or(base.run_as_user),
            run_as_group: own.run_as_group.or(base.run_as_group),
            fs_group: own.fs_group.or(base.fs_group),
            se_linux_options: own
                .se_linux_options
                .clone()
                .or_else(|| base.se_linux_options.clone()),
        })
    }
}
