//! Flags.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};
use monstrum_egress::EgressArgs;
use monstrum_service::{ServiceArgs, TlsArgs};

use crate::executor;

/// Executes the calls that a bot's gateway permitted.
#[derive(Debug, Parser)]
#[command(name = "monstrum-runner", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Attach to a bot's gateways and execute their calls.
    Serve(Box<ServeArgs>),
    /// Copy this executable, for an init container that brings the runner into another image.
    Install(InstallArgs),
}

/// The same flags when it is known that they say `serve`.
#[derive(Debug, Parser)]
#[command(name = "monstrum-runner", version)]
pub struct ServeCli {
    #[command(subcommand)]
    command: ServeCommand,
}

#[derive(Debug, Subcommand)]
enum ServeCommand {
    /// Attach to a bot's gateways and execute their calls.
    Serve(Box<ServeArgs>),
}

impl ServeCli {
    /// The flags of `serve`.
    pub fn into_serve(self) -> ServeArgs {
        let ServeCommand::Serve(args) = self.command;
        *args
    }
}

impl AsRef<ServiceArgs> for ServeCli {
    fn as_ref(&self) -> &ServiceArgs {
        let ServeCommand::Serve(args) = &self.command;
        &args.service
    }
}

/// The flags of `serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    /// Flags of every process.
    #[command(flatten)]
    pub service: ServiceArgs,

    /// This runner's certificate.
    #[command(flatten)]
    pub tls: TlsArgs,

    /// The Service in front of the bot's gateways, as `https://host:port`. It is asked which gateways there are; each of
    /// them is then attached to.
    #[arg(long, env = "MONSTRUM_GATEWAY")]
    pub gateway: String,

    /// The DNS name in every gateway's certificate; the host of `--gateway`, if absent.
    #[arg(long, env = "MONSTRUM_GATEWAY_NAME")]
    pub gateway_name: Option<String>,

    /// This runner's name among the bot's runners, for the log; the certificate is what identifies it.
    #[arg(long, env = "MONSTRUM_RUNNER", default_value = "default")]
    pub runner: String,

    /// The pod's name, told to the gateway.
    #[arg(long, env = "POD_NAME", default_value = "")]
    pub replica: String,

    /// What this runner can execute.
    #[arg(
        long,
        env = "MONSTRUM_EXECUTORS",
        default_values_t = executor::of_bots(),
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(executor::known())
    )]
    pub executors: Vec<String>,

    /// How many calls run at the same time; as many again may wait.
    #[arg(long, env = "MONSTRUM_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,

    /// How targets are reached.
    #[command(flatten)]
    pub egress: EgressArgs,
}

impl ServeArgs {
    /// What every gateway's certificate carries. None when `--gateway` is no URI with a host.
    pub fn gateway_name(&self) -> Option<String> {
        let host = || {
            let uri: http::Uri = self.gateway.parse().ok()?;
            Some(uri.host()?.trim_matches(['[', ']']).to_owned())
        };
        self.gateway_name.clone().or_else(host)
    }
}

/// The flags of `install`.
#[derive(Debug, Clone, clap::Args)]
pub struct InstallArgs {
    /// The file to write; its folder must exist.
    #[arg(long)]
    pub to: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
        ServeCli::command().debug_assert();
    }

    #[test]
    fn executors_are_a_closed_list() {
        let parse = |list: &str| {
            ServeCli::try_parse_from(["x", "serve", "--gateway", "https://g:9443", "--executors", list])
        };
        assert_eq!(
            parse("http,shell").unwrap().into_serve().executors,
            ["http", "shell"]
        );
        assert!(parse("ssh").is_err());
    }
}
