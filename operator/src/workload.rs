//! The pods that the operator makes: what they have in common, so that every one passes PodSecurity `restricted`.

mod container;
mod pod;

pub(crate) use container::{container, env, mount, pod_field, port, resources, unprivileged};
pub(crate) use pod::{Workload, deployment, empty_dir, secret_volume, tls_volume};

/// The user and group of every process of ours.
pub(crate) const USER: i64 = 65_532;
/// Where a process finds its certificate.
pub(crate) const TLS_DIR: &str = "/etc/monstrum/tls";
