//! Landlock: which files, which TCP ports, and that no signal or abstract socket leaves the sandbox.
//!
//! Landlock also keeps the command from looking into processes outside of its sandbox, the runner first of all: what
//! `/proc` has of them beyond their names (memory, environment, open files) is refused, whatever files are granted.

mod grant;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, NetPort,
    PathBeneath, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError,
    RulesetStatus, Scope, make_bitflags,
};

use super::{Fault, Spec};
use grant::Grants;

/// What must be enforced: below this a sandbox could not move files between folders safely.
const REQUIRED: ABI = ABI::V2;
/// What is enforced where the kernel can.
const WANTED: ABI = ABI::V10;

/// Devices that are safe and that programs expect.
const DEVICES: [(&str, BitFlags<AccessFs>); 5] = [
    (
        "/dev/null",
        make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate}),
    ),
    ("/dev/zero", make_bitflags!(AccessFs::{ReadFile})),
    ("/dev/full", make_bitflags!(AccessFs::{ReadFile | WriteFile})),
    ("/dev/random", make_bitflags!(AccessFs::{ReadFile})),
    ("/dev/urandom", make_bitflags!(AccessFs::{ReadFile})),
];

/// How much the kernel could enforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Strength {
    /// Landlock knows about shortening a file by its path.
    pub(super) truncate: bool,
    /// Landlock keeps signals within the sandbox.
    pub(super) signals: bool,
}

/// Restricts this process.
pub(super) fn restrict(spec: &Spec) -> Result<Strength, Fault> {
    let grants = Grants::new(spec)?;
    let unable = |error: RulesetError| Fault::sandbox("Landlock", &crate::call::chain(&error));
    let mut ruleset = ruleset(spec).map_err(unable)?;
    for (file, is_folder, access) in grants.open(read_only(), read_write(), &DEVICES)? {
        let access = if is_folder {
            access
        } else {
            access & AccessFs::from_file(WANTED)
        };
        ruleset = ruleset.add_rule(PathBeneath::new(file, access)).map_err(unable)?;
    }
    for &port in spec.tcp_ports.iter().flatten() {
        ruleset = ruleset
            .add_rule(NetPort::new(port, AccessNet::ConnectTcp))
            .map_err(unable)?;
    }
    let status = ruleset.restrict_self().map_err(unable)?;
    let enforced = matches!(
        status.ruleset,
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced
    );
    match status.landlock {
        LandlockStatus::Available { effective_abi, .. } if enforced && status.no_new_privs => Ok(Strength {
            truncate: effective_abi >= ABI::V3,
            signals: effective_abi >= ABI::V6,
        }),
        _ => Err(Fault::sandbox("Landlock", &"the kernel does not enforce it")),
    }
}

fn ruleset(spec: &Spec) -> Result<RulesetCreated, RulesetError> {
    // Without network sockets (seccomp sees to that) the port rules are a second line; with them, the only one.
    let ports = if spec.tcp_ports.is_some() {
        CompatLevel::HardRequirement
    } else {
        CompatLevel::BestEffort
    };
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(REQUIRED))?
        .set_compatibility(ports)
        .handle_access(AccessNet::from_all(ABI::V4))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .scope(Scope::from_all(ABI::V6))?
        .create()
}

fn read_only() -> BitFlags<AccessFs> {
    AccessFs::from_read(WANTED)
}

fn read_write() -> BitFlags<AccessFs> {
    let never = AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock;
    AccessFs::from_all(WANTED) & !never
}
