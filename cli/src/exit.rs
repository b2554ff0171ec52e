//! What the process says by its exit code. These numbers are API.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, and nothing to object to.
    Success = 0,
    /// Done, and something is wrong with what was looked at.
    Found = 1,
    /// The call is denied.
    Denied = 2,
    /// The call waits for a person.
    NeedsApproval = 3,
    /// The new policy permits more, or may.
    Widened = 4,
    /// The command line is wrong.
    Usage = 64,
    /// A file cannot be read, or does not say what it should.
    Input = 66,
    /// The cluster, an object in it, or a gateway cannot be reached.
    Unavailable = 69,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// For `--help`.
pub(crate) const TABLE: &str = "\
Exit codes:
  0    done, and nothing to object to; `explain`: allowed
  1    something is wrong with what was looked at: faults in files, a failed test, a broken audit chain, a failed turn,
       a bot that is not ready, a lint finding
  2    `explain`: denied
  3    `explain`: a person must agree first
  4    `policy diff`: the new policy permits more, or may
  64   the command line is wrong
  66   a file cannot be read, or does not say what it should
  69   the cluster, an object in it, or the bot's gateway cannot be reached
  130  stopped by Ctrl-C";
