//! From the command line to a started process.

use monstrum_service::Service;

use crate::args::{Cli, Command};
use crate::channel::{self, ChannelError};
use crate::serve::{self, ServeError};

/// Why the process does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// As a gateway.
    #[error("the gateway does not start")]
    Gateway(#[from] ServeError),
    /// As a channel service.
    #[error("the channel does not start")]
    Channel(#[from] ChannelError),
}

/// Starts what the command names; returns once it runs.
pub async fn start(cli: Cli, service: Service) -> Result<(), StartError> {
    match cli.command {
        Command::Serve(args) => Ok(serve::serve(*args, &cli.service, service).await?),
        Command::Channel(args) => Ok(channel::serve(*args, service)?),
    }
}
