//! Flags, each with its environment variable.

use std::net::{IpAddr, SocketAddr};

use clap::{Args, Parser};
use monstrum_egress::EgressArgs;
use monstrum_service::{ServiceArgs, TlsArgs};

/// One bot's gateway: enforces its policy and holds its conversations.
#[derive(Debug, Clone, Parser)]
#[command(name = "monstrum-gateway", version)]
pub struct Cli {
    /// How the process runs.
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Where its neighbours are.
    #[command(flatten)]
    pub serve: ServeArgs,
}

impl AsRef<ServiceArgs> for Cli {
    fn as_ref(&self) -> &ServiceArgs {
        &self.service
    }
}

/// Where a gateway's neighbours are.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Its identity: the certificate says whose it is.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// This pod's name.
    #[arg(long, env = "POD_NAME")]
    pub replica: String,
    /// The operator, for example `https://monstrum-operator.monstrum-system.svc:9443`.
    #[arg(long, env = "MONSTRUM_OPERATOR")]
    pub operator: String,
    /// The ledger, for example `https://monstrum-ledger.monstrum-system.svc:9443`.
    #[arg(long, env = "MONSTRUM_LEDGER")]
    pub ledger: String,
    /// Where runners and channels dial in.
    #[arg(long, env = "MONSTRUM_LISTEN", default_value = "[::]:9443")]
    pub listen: SocketAddr,
    /// This pod's address, under which runners find this gateway; the one it listens on, if absent.
    #[arg(long, env = "POD_IP")]
    pub address: Option<IpAddr>,
    /// A DNS name with the addresses of all gateways of the bot, as `host:port`; this is the only one, if absent.
    #[arg(long, env = "MONSTRUM_GATEWAYS")]
    pub gateways: Option<String>,
    /// Where people reach it through a port-forward; must be a loopback address.
    #[arg(long, env = "MONSTRUM_LOCAL_LISTEN", default_value = "127.0.0.1:9444", value_parser = loopback)]
    pub local_listen: SocketAddr,
    /// How it reaches what administrators name.
    #[command(flatten)]
    pub egress: EgressArgs,
}

/// This port has no certificates, so that it must not be reachable from anywhere else.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|error| format!("{error}"))?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err("the local port has no certificates and must be on a loopback address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_port_stays_local() {
        assert!(loopback("127.0.0.1:9444").is_ok());
        assert!(loopback("[::1]:9444").is_ok());
        assert!(loopback("0.0.0.0:9444").is_err());
        assert!(loopback("10.0.0.1:9444").is_err());
    }
}
