//! `policy`: test, compare and lint policy before it is applied.
use clap::Subcommand;
use crate::cluster::ClusterArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Screen;
/// Test, compare and lint policy, without a cluster
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    action: PolicyAction,
}
#[derive(Debug, Subcommand)]
enum PolicyAction { Lint }
pub(super) async fn run(args: PolicyArgs, _cluster: &ClusterArgs, _screen: &mut Screen) -> Result<Exit, Failure> {
    match args.action { PolicyAction::Lint => Ok(Exit::Success) }
}
