//! The runner's life: which subcommand, which executors, one link.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use monstrum_service::{Service, Tls, TlsError};
use monstrum_wire::identity::Identity;
use rustix::process::DumpableBehavior;

use crate::args::{Cli, Command, ServeCli};
use crate::executor::{self, Executors, SetupError};
use crate::gateways::Gateways;
use crate::install;
use crate::link::{Room, Shared};
use crate::metrics::Metrics;
use crate::presence::Presence;

/// The exit code for wrong flags (`EX_USAGE` of `sysexits.h`).
const EXIT_USAGE: u8 = 64;

/// Why a runner can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Certificate or gateway address.
    #[error("mutual TLS can't be set up")]
    Tls(#[source] TlsError),
    /// Its certificate is none of a runner: it does not know whose gateways are its own.
    #[error("the certificate names no bot's runner")]
    Identity,
    /// The gateway's address has no host.
    #[error("the gateway's address is not https://host:port")]
    Name,
    /// The process can't be protected from the commands that it runs.
    #[error("the runner can't protect its own memory")]
    Protect(#[source] std::io::Error),
    /// An executor can't be set up.
    #[error(transparent)]
    Executor(SetupError),
}

/// Runs what the command line says.
pub fn main() -> ExitCode {
    // Before anything else, because it must not have threads: it is about to become another program.
    let word = std::env::args_os().nth(1);
    if let Some(code) = word.and_then(|word| executor::taken_over(&word)) {
        return code;
    }
    match Cli::try_parse() {
        Ok(Cli {
            command: Command::Serve(_),
        }) => monstrum_service::run("monstrum-runner", start),
        Ok(Cli {
            command: Command::Install(args),
        }) => match install::install(&args.to) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("monstrum-runner: {}", crate::call::chain(&error));
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            drop(error.print());
            if error.use_stderr() {
                ExitCode::from(EXIT_USAGE)
            } else {
                ExitCode::SUCCESS
            }
        }
    }
}

/// Starts executors and link.
pub async fn start(cli: ServeCli, service: Service) -> Result<(), StartError> {
    let args = cli.into_serve();
    // The runner holds a key and leased credentials: no core dump, no look from another process of the same user.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| StartError::Protect(errno.into()))?;
    let tls = Tls::load(&args.tls).map_err(StartError::Tls)?;
    tls.watch(&service);
    let shared = Shared {
        executors: Arc::new(Executors::set_up(&args).map_err(StartError::Executor)?),
        room: Room::new(usize::from(args.concurrency)),
        replica: args.replica.clone(),
        metrics: service.register(Metrics::register),
        presence: Presence::new(service.readiness().clone()),
    };
    tracing::info!(gateway = %args.gateway, runner = %args.runner, "attaching");
    let name = args.gateway_name().ok_or(StartError::Name)?;
    let Some(Identity::Runner { bot, .. }) = tls.identity() else {
        return Err(StartError::Identity);
    };
    let gateway = Identity::Gateway(bot);
    let gateways = Gateways::new(tls, &args.gateway, name, gateway, shared).map_err(StartError::Tls)?;
    let shutdown = service.shutdown();
    service.spawn_quiet("gateways", async move { gateways.run(&shutdown).await });
    Ok(())
}
