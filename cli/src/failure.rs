//! Why a command could not do its work.

use std::io;

use crate::cluster::{ClusterError, GatewayError};
use crate::exit::Exit;
use crate::files::InputError;

/// Every error that reaches the edge. What a command finds out about its subject is not one of these, but an [`Exit`].
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum Failure {
    /// A file.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Input(#[from] InputError),
    /// The cluster.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cluster(#[from] ClusterError),
    /// A bot's gateway.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Gateway(#[from] GatewayError),
    /// What was asked for does not exist among the objects.
    #[error("{message}")]
    NotFound {
        /// What.
        message: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// Something on the command line that only shows when it is used.
    #[error("{message}")]
    Usage {
        /// What.
        message: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// A policy that was compiled here does not load.
    #[error("the compiled policy of bot {bot} does not load")]
    #[diagnostic(help("this is a fault of monstrum itself, please report it with the objects"))]
    Load {
        /// Whose policy.
        bot: String,
        /// Why.
        #[source]
        source: monstrum_guardian::LoadError,
    },
    /// The answer cannot be written.
    #[error("the answer cannot be written")]
    Output(#[source] io::Error),
    /// A file cannot be written.
    #[error("{path} cannot be written")]
    Write {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The input cannot be read.
    #[error("the standard input cannot be read")]
    Stdin(#[source] io::Error),
    /// No runtime.
    #[error("the process cannot set up its input and output")]
    Runtime(#[source] io::Error),
}

impl Failure {
    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Input(_) | Self::NotFound { .. } | Self::Stdin(_) | Self::Load { .. } => Exit::Input,
            Self::Cluster(_) | Self::Gateway(_) => Exit::Unavailable,
            Self::Usage { .. } => Exit::Usage,
            Self::Output(_) | Self::Write { .. } | Self::Runtime(_) => Exit::Found,
        }
    }

    /// Whether a reader such as `head` has seen enough.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Writing to the screen is the one thing that fails everywhere in the same way.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
