//! The pods that the operator makes: what they have in common, so that every one passes PodSecurity `restricted`.

mod container;
mod pod;
mod security;

pub(crate) use container::{container, env, further, mount, pod_field, port, resources};
pub(crate) use pod::{Workload, deployment, empty_dir, secret_volume, tls_volume};
pub(crate) use security::unprivileged;

/// Where a process finds its certificate.
pub(crate) const TLS_DIR: &str = "/etc/monstrum/tls";
