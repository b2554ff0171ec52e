//! Commands: the judged words as one argument vector, never through a shell, in a sandbox of their own.
//!
//! The runner starts itself again as `confine`, which restricts itself ([`sandbox`]) and becomes the command. The
//! command's whole process group is killed when it ends, when time is up, when the call is cancelled, and when the
//! gateway is gone; nothing can leave the group.

mod answer;
mod config;
mod effect;
mod group;
mod sandbox;
mod started;
mod tasks;

use std::error::Error;
use std::io;
use std::path::PathBuf;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use monstrum_contract::ExecutorContract;

use crate::args::ServeArgs;
use crate::call::{Call, Outcome, Output};
use crate::executor::Executor;

pub use sandbox::confine;

/// The hidden subcommand that becomes a command.
pub const CONFINE: &str = "confine";

/// Where Kubernetes mounts service account tokens.
const SERVICE_ACCOUNTS: [&str; 2] = ["/var/run/secrets", "/run/secrets"];

/// The `shell` executor.
#[derive(Debug)]
pub struct Shell {
    runner: PathBuf,
    protected: Vec<PathBuf>,
}

/// Why commands can't be executed here.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// This executable can't be started again.
    #[error("the runner's own executable can't be found")]
    Own(#[source] io::Error),
    /// Orphans of commands could not be collected.
    #[error("the runner can't become the reaper of its commands' orphans")]
    Reaper(#[source] io::Error),
}

impl Shell {
    /// Executes commands with this executable; they never reach a path in `protected`.
    pub fn new(protected: &[PathBuf]) -> Result<Self, SetupError> {
        Self::with_runner(std::env::current_exe().map_err(SetupError::Own)?, protected)
    }

    /// Executes commands with the runner at `runner`.
    pub fn with_runner(runner: PathBuf, protected: &[PathBuf]) -> Result<Self, SetupError> {
        // Orphans come to the runner, and not to a process that does not know them.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(|errno| SetupError::Reaper(errno.into()))?;
        let accounts = SERVICE_ACCOUNTS.iter().map(PathBuf::from);
        Ok(Self {
            runner,
            protected: protected.iter().cloned().chain(accounts).collect(),
        })
    }
}

/// With this executable; commands never reach the runner's key.
pub(super) fn set_up(args: &ServeArgs) -> Result<Box<dyn Executor>, Box<dyn Error + Send + Sync>> {
    Ok(Box::new(Shell::new(std::slice::from_ref(&args.tls.tls_dir))?))
}

impl Executor for Shell {
    fn contract(&self) -> &'static dyn ExecutorContract {
        &monstrum_contract::shell::Shell
    }

    fn execute<'a>(&'a self, call: &'a Call, output: &'a Output) -> BoxFuture<'a, Outcome> {
        effect::perform(self, call, output).boxed()
    }
}
