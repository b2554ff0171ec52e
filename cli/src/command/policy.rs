//! `policy`: test, compare and lint policy before it is applied.

mod diff;
mod lint;
mod test;

use clap::Subcommand;

use crate::cluster::ClusterArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Screen;

/// Test, compare and lint policy before it is applied
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    action: PolicyAction,
}

#[derive(Debug, Subcommand)]
enum PolicyAction {
    Test(test::TestArgs),
    Diff(diff::DiffArgs),
    Lint(lint::LintArgs),
}

pub(super) async fn run(
    args: PolicyArgs,
    cluster: &ClusterArgs,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    match args.action {
        PolicyAction::Test(args) => test::run(&args, screen),
        PolicyAction::Diff(args) => diff::run(&args, cluster, screen).await,
        PolicyAction::Lint(args) => lint::run(&args, cluster, screen).await,
    }
}
