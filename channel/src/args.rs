//! Flags, each with its environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use monstrum_egress::EgressArgs;
use monstrum_service::{ServiceArgs, TlsArgs};

/// A channel: takes messages from a chat platform to the bots, and their answers back.
#[derive(Debug, Clone, Parser)]
#[command(name = "monstrum-channel", version)]
pub struct Cli {
    /// How the process runs.
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Where its neighbours are.
    #[command(flatten)]
    pub channel: ChannelArgs,
}

impl AsRef<ServiceArgs> for Cli {
    fn as_ref(&self) -> &ServiceArgs {
        &self.service
    }
}

/// Where a channel's neighbours are.
#[derive(Debug, Clone, clap::Args)]
pub struct ChannelArgs {
    /// Its identity: the certificate says whose it is.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// The ledger, for example `https://monstrum-ledger.monstrum-system.svc:9443`.
    #[arg(long, env = "MONSTRUM_LEDGER")]
    pub ledger: String,
    /// The channel's settings, JSON.
    #[arg(
        long,
        env = "MONSTRUM_CHANNEL_CONFIG",
        default_value = "/etc/monstrum/channel/config.json"
    )]
    pub config: PathBuf,
    /// The signing secret, `whsec_…`; several during a rotation, separated by white space.
    #[arg(
        long,
        env = "MONSTRUM_CHANNEL_SECRET",
        default_value = "/etc/monstrum/channel-secret/secret"
    )]
    pub secret: PathBuf,
    /// Where messages come in.
    #[arg(long, env = "MONSTRUM_LISTEN", default_value = "[::]:8080")]
    pub listen: SocketAddr,
    /// Where the gateway of a bot is; `{bot}` and `{namespace}` are filled in.
    #[arg(
        long,
        env = "MONSTRUM_GATEWAY_TEMPLATE",
        default_value = "https://{bot}-gateway.{namespace}.svc:9443"
    )]
    pub gateway_template: String,
    /// How it reaches what administrators name.
    #[command(flatten)]
    pub egress: EgressArgs,
}
