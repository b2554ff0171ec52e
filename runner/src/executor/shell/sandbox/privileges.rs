//! No privilege, and no way to one.
//!
//! A runner has none in a pod. Where it has, they would reach past the sandbox: `CAP_PERFMON`, for one, opens other
//! processes' memory maps and environments, whatever Landlock says.

use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};

use super::Fault;

/// Gives up every capability; executing a program, even as root or with set-user-id, brings none back.
pub(super) fn give_up() -> Result<(), Fault> {
    let unable = |error: rustix::io::Errno| Fault::sandbox("privileges", &error);
    set_no_new_privs(true).map_err(unable)?;
    let none = CapabilitySet::empty();
    set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )
    .map_err(unable)
}
