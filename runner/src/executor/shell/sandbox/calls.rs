//! Seccomp: which system calls the command can't make.
//!
//! Three filters, of which the strictest answer counts: numbers newer than this list was made for, calls whose
//! arguments a filter can't see, and calls that are refused, always or for some arguments.

mod network;
mod refused;
mod signals;

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter, sock_filter,
};

use super::files::Strength;
use super::{Fault, Spec};

/// Rules by system call: refused if one of the rules matches, or if there are none.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The newest call that was looked at: `mseal`. x32's numbers are larger, too.
const NEWEST: u32 = 462;

/// Restricts this process.
pub(super) fn restrict(spec: &Spec, strength: Strength) -> Result<(), Fault> {
    for program in programs(spec, strength).map_err(|error| Fault::sandbox("seccomp", &error))? {
        apply_filter(&program).map_err(|error| Fault::sandbox("seccomp", &error))?;
    }
    Ok(())
}

fn programs(spec: &Spec, strength: Strength) -> Result<[BpfProgram; 3], BackendError> {
    let mut rules = refused::rules()?;
    rules.extend(network::rules(spec.tcp_ports.is_some())?);
    if !strength.truncate {
        rules.insert(libc::SYS_truncate, Vec::new());
    }
    if !strength.signals {
        rules.extend(signals::rules(spec.parent.unsigned_abs())?);
    }
    // Its flags are in memory; libraries fall back to clone, whose flags can be seen.
    let unseen = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    Ok([
        unknown(),
        compile(unseen, libc::ENOSYS)?,
        compile(rules, libc::EPERM)?,
    ])
}

fn compile(rules: Rules, errno: i32) -> Result<BpfProgram, BackendError> {
    let action = SeccompAction::Errno(errno.unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, SeccompAction::Allow, action, arch)?.try_into()
}

/// "Not implemented" for every number above [`NEWEST`].
fn unknown() -> BpfProgram {
    let statement = |code: u32, k: u32| instruction(code, 0, 0, k);
    vec![
        // The first field of seccomp_data is the call's number.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        instruction(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, 0, 1, NEWEST),
        statement(
            libc::BPF_RET | libc::BPF_K,
            libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs(),
        ),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ]
}

fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter {
        code: u16::try_from(code).unwrap_or_default(),
        jt,
        jf,
        k,
    }
}

/// Matches if all conditions hold.
fn all(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions)
}

/// The argument at `index`, as 32 bits, is `value`.
fn is(index: u8, value: u32) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(value))
}

/// The argument at `index`, as 32 bits, is not `value`.
fn is_not(index: u8, value: u32) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(value))
}

/// The bits of `mask` in the argument at `index` are `value`.
fn has_bits(index: u8, mask: u32, value: u32) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(
        index,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::MaskedEq(u64::from(mask)),
        u64::from(value),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_fit_into_the_kernel_on_every_kernel_and_with_every_network() {
        for tcp_ports in [None, Some(vec![443])] {
            for weak in [false, true] {
                let spec = Spec {
                    tcp_ports: tcp_ports.clone(),
                    ..Spec::default()
                };
                let strength = Strength {
                    truncate: !weak,
                    signals: !weak,
                };
                for program in programs(&spec, strength).unwrap() {
                    assert!((4..=4096).contains(&program.len()), "{}", program.len());
                }
            }
        }
    }
}
