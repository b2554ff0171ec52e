//! Starting a command: its spec goes to `confine`, and its report comes back.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::Path;
use std::process::Command;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::Receiver;

use super::group::Group;
use super::sandbox::{Fault, FaultKind, READY, Spec};
use crate::call::Failure;

/// A report is smaller than this.
const LARGEST_REPORT: u64 = 64 * 1024;

/// A process that is about to become, or has become, the command.
pub(super) struct Started {
    pub(super) group: Group,
    /// Standard output and error, in the order in which they were written.
    pub(super) output: Receiver,
    socket: UnixStream,
}

impl Started {
    /// Starts `runner` as `confine`.
    pub(super) fn new(runner: &Path) -> Result<Self, Failure> {
        Self::start(runner)
            .map_err(|error| Failure::internal(format!("the command can't be started: {error}")))
    }

    fn start(runner: &Path) -> io::Result<Self> {
        let (ours, theirs) = BlockingStream::pair()?;
        let (read, write) = io::pipe()?;
        let mut command = Command::new(runner);
        command.arg(super::CONFINE).env_clear().current_dir("/");
        command
            .stdin(OwnedFd::from(theirs))
            .stdout(write.try_clone()?)
            .stderr(write);
        // Takes the command along, so that the other ends are closed here.
        let group = Group::start(command)?;
        ours.set_nonblocking(true)?;
        Ok(Self {
            group,
            output: Receiver::from_owned_fd(OwnedFd::from(read))?,
            socket: UnixStream::from_std(ours)?,
        })
    }

    /// Hands `spec` over and waits until the command runs, or does not.
    pub(super) async fn confine(&mut self, spec: &Spec) -> Result<(), Failure> {
        let lost = |error: io::Error| Failure::internal(format!("the command can't be started: {error}"));
        let text = serde_json::to_vec(spec).map_err(|error| lost(error.into()))?;
        self.socket.write_all(&text).await.map_err(lost)?;
        self.socket.shutdown().await.map_err(lost)?;
        let mut report = Vec::new();
        let mut reader = (&mut self.socket).take(LARGEST_REPORT);
        reader.read_to_end(&mut report).await.map_err(lost)?;
        understand(&report)
    }
}

/// Ready and then nothing: the command runs. Anything else, and it does not.
fn understand(report: &[u8]) -> Result<(), Failure> {
    let fault = report.strip_prefix(READY).unwrap_or(report);
    if fault.is_empty() && !report.is_empty() {
        return Ok(());
    }
    let Ok(fault) = serde_json::from_slice::<Fault>(fault) else {
        return Err(Failure::internal(
            "the command's process ended before the command started",
        ));
    };
    Err(match fault.kind {
        FaultKind::Config => Failure::invalid(format!("the resource's config: {}", fault.message)),
        FaultKind::Command => Failure::invalid(fault.message),
        FaultKind::Sandbox => Failure::refused(format!(
            "the sandbox can't be set up on this node, so nothing was run: {}",
            fault.message
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::FailureKind;

    #[test]
    fn only_ready_alone_means_that_the_command_runs() {
        let fault = |kind: FaultKind| {
            let mut report = READY.to_vec();
            let fault = Fault {
                kind,
                message: "why".to_owned(),
            };
            report.extend(serde_json::to_vec(&fault).unwrap());
            report
        };
        understand(READY).unwrap();
        assert_eq!(understand(b"").unwrap_err().kind, FailureKind::Internal);
        assert_eq!(understand(b"garbage").unwrap_err().kind, FailureKind::Internal);
        assert_eq!(
            understand(&fault(FaultKind::Command)).unwrap_err().kind,
            FailureKind::Invalid
        );
        let refused = understand(&fault(FaultKind::Sandbox)[READY.len()..]).unwrap_err();
        assert_eq!(refused.kind, FailureKind::Refused);
    }
}
