//! `confine`: a process restricts itself and becomes the command.
//!
//! It reads a [`Spec`] from the socket at its standard input, reports there whatever goes wrong, and closes it by
//! becoming the command. Each step that fails ends it: there is no command without the whole sandbox.

mod calls;
mod command;
mod files;
mod kernel;
mod limits;
mod privileges;
mod report;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::fs::Mode;
use rustix::process::{Signal, getppid, set_parent_process_death_signal, umask};
use serde::{Deserialize, Serialize};

pub(super) use limits::Limits;
pub(super) use report::{Fault, FaultKind, READY};

use report::Report;

/// A spec is smaller than this.
const LARGEST_SPEC: u64 = 4 * 1024 * 1024;

/// What to become, and within which limits.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Spec {
    /// The command's words; the first is searched for in the environment's `PATH` unless it has a slash.
    pub(super) argv: Vec<String>,
    /// The whole environment.
    pub(super) environment: BTreeMap<String, String>,
    /// Where it runs.
    pub(super) directory: PathBuf,
    /// What it can read and execute.
    pub(super) read_only: Vec<PathBuf>,
    /// What it can read and write.
    pub(super) read_write: Vec<PathBuf>,
    /// What it can't reach, whatever else says.
    pub(super) protected: Vec<PathBuf>,
    /// TCP ports that it can connect to; without a list it has no network sockets at all.
    pub(super) tcp_ports: Option<Vec<u16>>,
    /// What each of its processes may use up.
    pub(super) limits: Limits,
    /// The runner's process id.
    pub(super) parent: i32,
}

/// Restricts this process and becomes the command that standard input names. Returns only on failure.
pub fn confine() -> ExitCode {
    let report = match take_over_stdin() {
        Ok(socket) => Report::new(socket),
        Err(error) => {
            eprintln!("monstrum-runner confine: {error}; this subcommand is the runner's own");
            return ExitCode::FAILURE;
        }
    };
    let fault = match become_command(&report) {
        Ok(never) => match never {},
        Err(fault) => fault,
    };
    report.fault(&fault);
    ExitCode::FAILURE
}

/// Keeps the socket, closed as soon as the command starts, and gives the command an empty standard input.
fn take_over_stdin() -> io::Result<OwnedFd> {
    let socket = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(socket)
}

fn become_command(report: &Report) -> Result<std::convert::Infallible, Fault> {
    let spec = read(report)?;
    die_with(spec.parent)?;
    umask(Mode::RWXG | Mode::RWXO);
    // When memory runs out, the command goes before the runner does. Not every container lets a process say so.
    drop(std::fs::write("/proc/self/oom_score_adj", "1000"));
    privileges::give_up()?;
    let program = command::find(&spec)?;
    let command = command::prepare(&program, &spec)?;
    let strength = files::restrict(&spec)?;
    // The command's limits, not those of its sandbox: a folder with many entries beside a protected one takes many files.
    limits::apply(&spec.limits)?;
    kernel::close_on_exec_from(3).map_err(|error| Fault::sandbox("inherited files", &error))?;
    calls::restrict(&spec, strength)?;
    report.ready();
    Err(command.execute())
}

fn read(report: &Report) -> Result<Spec, Fault> {
    let mut text = Vec::new();
    report
        .reader()
        .take(LARGEST_SPEC)
        .read_to_end(&mut text)
        .map_err(|error| Fault::sandbox("spec", &error))?;
    serde_json::from_slice(&text).map_err(|error| Fault::sandbox("spec", &error))
}

/// The command does not outlive the runner.
fn die_with(parent: i32) -> Result<(), Fault> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| Fault::sandbox("death signal", &error))?;
    // The runner may have died before the line above.
    if getppid().map(|pid| pid.as_raw_nonzero().get()) == Some(parent) {
        Ok(())
    } else {
        Err(Fault::sandbox("death signal", &"the runner is gone"))
    }
}
