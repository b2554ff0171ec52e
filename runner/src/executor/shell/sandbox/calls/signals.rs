//! Where Landlock does not keep signals inside (before its sixth version, Linux 6.12): none goes to the runner.

use seccompiler::BackendError;

use super::{Rules, all, is};

/// Asks the kernel to send signals for a file to a process.
const SET_OWNER: [u32; 2] = [libc::F_SETOWN.unsigned_abs(), F_SETOWN_EX];
/// From `asm-generic/fcntl.h`; `libc` has it for some systems only.
const F_SETOWN_EX: u32 = 15;
/// The same as `ioctl`: `FIOSETOWN` and `SIOCSPGRP`.
const SET_OWNER_REQUESTS: [u32; 2] = [0x8901, 0x8902];
/// `kill`'s "everybody".
const EVERYBODY: u32 = u32::MAX;

/// What is refused so that the process `runner` gets no signal.
pub(super) fn rules(runner: u32) -> Result<Rules, BackendError> {
    let mut rules = Rules::new();
    let to_runner = || all(vec![is(0, runner)?]);
    let its_group = runner.wrapping_neg();
    let everybody = [EVERYBODY, its_group].map(|target| all(vec![is(0, target)?]));
    let kill = everybody.into_iter().chain([to_runner()]);
    rules.insert(libc::SYS_kill, kill.collect::<Result<_, _>>()?);
    for call in [
        libc::SYS_tgkill,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
        libc::SYS_pidfd_open,
    ] {
        rules.insert(call, vec![to_runner()?]);
    }
    // It names a thread, and the runner's threads come and go.
    rules.insert(libc::SYS_tkill, Vec::new());
    for (call, commands) in [
        (libc::SYS_fcntl, SET_OWNER),
        (libc::SYS_ioctl, SET_OWNER_REQUESTS),
    ] {
        let refused = commands.iter().map(|&command| all(vec![is(1, command)?]));
        rules.insert(call, refused.collect::<Result<_, _>>()?);
    }
    Ok(rules)
}
