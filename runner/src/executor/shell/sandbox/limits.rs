//! Resource limits of each process.
//!
//! The number of processes is not among them: `RLIMIT_NPROC` counts all processes of the user on the node, other pods
//! included. The runner watches the command's own number instead ([`super::super::tasks`]).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::Fault;

/// What a process may use up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::executor::shell) struct Limits {
    pub(in crate::executor::shell) cpu_seconds: u64,
    /// Address space.
    pub(in crate::executor::shell) memory_bytes: u64,
    /// The size of a file.
    pub(in crate::executor::shell) file_bytes: u64,
    pub(in crate::executor::shell) open_files: u64,
}

/// Sets soft and hard limits, never above the hard ones that are set already.
pub(super) fn apply(limits: &Limits) -> Result<(), Fault> {
    set(Resource::Core, 0)?;
    set(Resource::Cpu, limits.cpu_seconds)?;
    set(Resource::As, limits.memory_bytes)?;
    set(Resource::Fsize, limits.file_bytes)?;
    set(Resource::Nofile, limits.open_files)
}

fn set(resource: Resource, asked: u64) -> Result<(), Fault> {
    let limit = getrlimit(resource).maximum.map_or(asked, |hard| hard.min(asked));
    setrlimit(
        resource,
        Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        },
    )
    .map_err(|error| Fault::sandbox("resource limits", &error))
}
