//! The command line.

mod archive;
mod probe;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use monstrum_service::{ServiceArgs, TlsArgs};

use crate::serve;
use crate::sqlite::back_up;

const NAME: &str = "monstrum-ledger";

/// The exit code for wrong flags (`EX_USAGE` of `sysexits.h`).
const EXIT_USAGE: u8 = 64;

/// Keeps the durable state of Monstrum's bots: audit, sessions, usage, quotas.
#[derive(Debug, clap::Parser)]
#[command(name = NAME, version)]
enum Command {
    /// Serves the ledger over gRPC with mutual TLS.
    Serve(ServeArgs),
    /// Copies the database to a file, also while a ledger serves it.
    Backup(BackupArgs),
    /// Lists the audit chains, also of bots that are gone: whose, how many records, when the newest was written.
    Chains(archive::ChainsArgs),
    /// Writes one chain to the standard output, as `monstrum audit export` does, for `monstrum audit verify`.
    Export(archive::ExportArgs),
    /// Asks other processes of the installation whether they are there, as `helm test` does.
    Probe(probe::ProbeArgs),
}

/// Flags of `serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    /// Flags that every process has.
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Where the certificate is.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// The folder that holds the database.
    #[arg(long, env = "MONSTRUM_DATA_DIR", default_value = "/var/lib/monstrum")]
    pub data_dir: PathBuf,
    /// The operator, which says who may call.
    #[arg(
        long,
        env = "MONSTRUM_OPERATOR",
        default_value = "https://monstrum-operator.monstrum-system.svc:9443"
    )]
    pub operator: String,
    /// This pod's name.
    #[arg(long, env = "POD_NAME", default_value = NAME)]
    pub replica: String,
    /// Where gRPC answers.
    #[arg(long, env = "MONSTRUM_LISTEN_ADDRESS", default_value = "[::]:9443")]
    pub listen_address: SocketAddr,
}

/// Flags of `backup`.
#[derive(Debug, clap::Args)]
struct BackupArgs {
    /// The folder that holds the database.
    #[arg(long, env = "MONSTRUM_DATA_DIR", default_value = "/var/lib/monstrum")]
    data_dir: PathBuf,
    /// The copy's file, which must not exist. To restore, stop the ledger and put the copy in the place of `ledger.db`
    /// (removing `ledger.db-wal` and `ledger.db-shm`).
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// The command line again, for [`monstrum_service::run`], which reads it itself and only knows processes that serve.
#[derive(Debug, clap::Parser)]
#[command(name = NAME, version)]
enum Serving {
    /// Serves the ledger over gRPC with mutual TLS.
    Serve(ServeArgs),
}

impl AsRef<ServiceArgs> for Serving {
    fn as_ref(&self) -> &ServiceArgs {
        let Self::Serve(args) = self;
        &args.service
    }
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    match Command::try_parse() {
        Ok(Command::Serve(_)) => {
            monstrum_service::run(NAME, |Serving::Serve(args), service| serve::start(args, service))
        }
        Ok(Command::Backup(args)) => backup(&args),
        Ok(Command::Chains(args)) => finished(archive::chains(&args)),
        Ok(Command::Export(args)) => finished(archive::export(&args)),
        Ok(Command::Probe(args)) => finished(probe::probe(&args)),
        Err(error) => {
            // Nothing is left to do when the terminal is gone.
            drop(error.print());
            if error.use_stderr() {
                ExitCode::from(EXIT_USAGE)
            } else {
                ExitCode::SUCCESS
            }
        }
    }
}

fn backup(args: &BackupArgs) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error.to_string()),
    };
    match runtime.block_on(back_up(&args.data_dir, &args.to)) {
        Ok(made) => {
            let (records, bots, bytes) = (made.audit_records, made.bots, made.bytes);
            println!(
                "{}: {bytes} bytes, {records} audit records of {bots} bots",
                args.to.display()
            );
            ExitCode::SUCCESS
        }
        Err(error) => refuse(&explained(&error)),
    }
}

fn finished<E: std::error::Error>(outcome: Result<(), E>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&explained(&error)),
    }
}

fn refuse(reason: &str) -> ExitCode {
    eprintln!("{NAME}: {reason}");
    ExitCode::FAILURE
}

fn explained(error: &dyn std::error::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use rstest::rstest;

    #[test]
    fn the_flags_are_well_formed() {
        Command::command().debug_assert();
        Serving::command().debug_assert();
    }

    #[rstest]
    #[case::plain(&["monstrum-ledger", "serve"])]
    #[case::flags(&["monstrum-ledger", "serve", "--data-dir", "/d", "--admin-address", "127.0.0.1:1", "--tls-dir", "/t"])]
    fn both_readings_of_serve_agree(#[case] line: &[&str]) {
        assert!(matches!(Command::try_parse_from(line), Ok(Command::Serve(_))));
        assert!(Serving::try_parse_from(line).is_ok());
    }
}
