//! What `confine` tells the runner.

use std::fmt::Display;
use std::fs::File;
use std::io::{Read, Write as _};
use std::os::fd::OwnedFd;

use serde::{Deserialize, Serialize};

/// Written once the sandbox holds, right before the command starts.
pub(in crate::executor::shell) const READY: &[u8] = b"ready\n";

/// Why the command did not start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::executor::shell) struct Fault {
    pub(in crate::executor::shell) kind: FaultKind,
    pub(in crate::executor::shell) message: String,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::executor::shell) enum FaultKind {
    /// The resource's config can't be used here.
    Config,
    /// The command can't be started; the message is for the model.
    Command,
    /// The sandbox can't be set up on this node.
    Sandbox,
}

impl Fault {
    /// The sandbox can't be set up.
    pub(super) fn sandbox(step: &str, why: &dyn Display) -> Self {
        Self {
            kind: FaultKind::Sandbox,
            message: format!("{step}: {why}"),
        }
    }

    /// The resource's config can't be used.
    pub(super) fn config(message: String) -> Self {
        Self {
            kind: FaultKind::Config,
            message,
        }
    }

    /// The command can't be started.
    pub(super) fn command(message: String) -> Self {
        Self {
            kind: FaultKind::Command,
            message,
        }
    }
}

/// The socket to the runner.
#[derive(Debug)]
pub(super) struct Report {
    socket: File,
}

impl Report {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self {
            socket: File::from(socket),
        }
    }

    /// Where the spec comes from.
    pub(super) fn reader(&self) -> impl Read {
        &self.socket
    }

    /// The sandbox holds.
    pub(super) fn ready(&self) {
        self.write(READY);
    }

    /// The command did not start.
    pub(super) fn fault(&self, fault: &Fault) {
        self.write(&serde_json::to_vec(fault).unwrap_or_default());
    }

    fn write(&self, bytes: &[u8]) {
        // With the runner gone there is nobody to tell, and the death signal is on its way.
        drop((&self.socket).write_all(bytes));
    }
}
