//! The commands, one file each.

mod audit;
mod chat;
mod completions;
mod explain;
mod policy;
mod status;
mod tools;
mod validate;

use clap::Subcommand;

use crate::arguments::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Screen;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    Chat(chat::ChatArgs),
    Tools(tools::ToolsArgs),
    Explain(explain::ExplainArgs),
    Status(status::StatusArgs),
    Audit(audit::AuditArgs),
    Validate(validate::ValidateArgs),
    Policy(policy::PolicyArgs),
    Completions(completions::CompletionsArgs),
}

/// Does it.
pub(crate) async fn run(cli: Cli, screen: &mut Screen) -> Result<Exit, Failure> {
    let cluster = &cli.global.cluster;
    match cli.action {
        Action::Chat(args) => chat::run(args, cluster, screen).await,
        Action::Tools(args) => tools::run(&args, cluster, screen).await,
        Action::Explain(args) => explain::run(&args, cluster, screen).await,
        Action::Status(args) => status::run(&args, cluster, screen).await,
        Action::Audit(args) => audit::run(args, cluster, screen).await,
        Action::Validate(args) => validate::run(&args, cluster, screen),
        Action::Policy(args) => policy::run(args, cluster, screen).await,
        Action::Completions(args) => completions::run(&args, screen),
    }
}
