//! `audit`: a bot's records, and whether their chain holds.

mod chain;
mod export;
mod file;
mod filter;
mod list;
mod reader;
mod row;
mod tail;
mod verify;

use clap::Subcommand;

use crate::cluster::ClusterArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Screen;

/// Read, export and verify a bot's audit records
///
/// Every decision and every effect of a bot is a record before it happens. The records of a bot form a chain: each holds
/// the hash of the one before, so that an edit, a deletion and a reorder show.
#[derive(Debug, clap::Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    action: AuditAction,
}

#[derive(Debug, Subcommand)]
enum AuditAction {
    List(list::ListArgs),
    Tail(tail::TailArgs),
    Export(export::ExportArgs),
    Verify(verify::VerifyArgs),
}

pub(super) async fn run(
    args: AuditArgs,
    cluster: &ClusterArgs,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    match args.action {
        AuditAction::List(args) => list::run(&args, cluster, screen).await,
        AuditAction::Tail(args) => tail::run(&args, cluster, screen).await,
        AuditAction::Export(args) => export::run(&args, cluster, screen).await,
        AuditAction::Verify(args) => verify::run(&args, cluster, screen).await,
    }
}
