//! Flags that every process has, each with its environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How a process runs: its admin port, its logs, its end.
#[derive(Debug, Clone, clap::Args)]
pub struct ServiceArgs {
    /// Where health, readiness and metrics answer.
    #[arg(long, env = "MONSTRUM_ADMIN_ADDRESS", default_value = "[::]:9090")]
    pub admin_address: SocketAddr,

    /// What is logged, as `tracing` directives, for example `info,monstrum_gateway=debug`.
    #[arg(long, env = "MONSTRUM_LOG", default_value = "info")]
    pub log: String,

    /// How log lines look.
    #[arg(long, env = "MONSTRUM_LOG_FORMAT", default_value = "json", value_enum)]
    pub log_format: LogFormat,

    /// How many seconds running work may take to end after a request to stop.
    #[arg(long, env = "MONSTRUM_DRAIN_SECONDS", default_value_t = 25)]
    pub drain_seconds: u64,

    /// How many threads do the work.
    #[arg(long, env = "MONSTRUM_WORKER_THREADS", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub worker_threads: u16,
}

impl ServiceArgs {
    /// How long running work may take to end.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For a person's terminal.
    Text,
}

/// Where the process's certificate is.
#[derive(Debug, Clone, clap::Args)]
pub struct TlsArgs {
    /// A folder with `tls.crt`, `tls.key` and `ca.crt`, as the operator mounts it; changed files are taken up while running.
    #[arg(long, env = "MONSTRUM_TLS_DIR", default_value = "/etc/monstrum/tls")]
    pub tls_dir: PathBuf,

    /// The trust domain of this installation's identities.
    #[arg(long, env = "MONSTRUM_TRUST_DOMAIN", default_value = "monstrum.local")]
    pub trust_domain: String,
}
