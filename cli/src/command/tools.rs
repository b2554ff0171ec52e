//! `tools`: what a bot sees, and why.

mod difference;
mod row;

use std::path::PathBuf;

use monstrum_wire::guardian::{ListToolsRequest, ListToolsResponse};

use self::row::Listing;
use crate::cluster::{Cluster, ClusterArgs, Gateway, GatewayError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Format, Screen, paint, printable};
use crate::policy;

/// List the tools that a bot sees, and why it sees them
///
/// For each tool: its binding and operation, the grants that make it visible, and the parameters that grants narrow. A tool
/// that is not listed is in no request to the model.
///
/// The policy is compiled here: from files (-f), else from the objects in the cluster; then the bot's gateway is asked as
/// well, and a difference is told. With --enforced only the gateway is asked, which does not know the grants' reasons.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum tools triage
  monstrum tools triage -f policy/ -o json
  monstrum tools triage --enforced")]
pub(crate) struct ToolsArgs {
    /// The bot; NAMESPACE/NAME tells bots of one name in several files apart
    #[arg(value_parser = crate::arguments::bot_name)]
    bot: String,
    /// Compile the policy of these files or folders instead of the cluster's objects
    #[arg(
        short = 'f',
        long = "filename",
        value_name = "FILE",
        visible_alias = "from-files",
        conflicts_with = "enforced"
    )]
    files: Vec<PathBuf>,
    /// Ask the bot's gateway alone
    #[arg(long)]
    enforced: bool,
}

pub(super) async fn run(
    args: &ToolsArgs,
    cluster: &ClusterArgs,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let listing = if args.files.is_empty() {
        let (cluster, bot) = Cluster::connect_for(cluster, &args.bot).await?;
        let live = enforced(&cluster, bot).await;
        if args.enforced {
            Listing::enforced(format!("{}/{bot}", cluster.namespace), live?)
        } else {
            let compiled = policy::from_cluster(&cluster).await?;
            let mut listing = Listing::compiled(compiled.bot(&args.bot)?, &compiled.problems);
            let warnings = difference::warnings(&listing, live.as_ref());
            listing.warnings.extend(warnings);
            listing.policy_digest = live.map(|live| live.policy_digest).unwrap_or_default();
            listing
        }
    } else {
        let namespace = cluster.namespace.as_deref().unwrap_or("default");
        let compiled = policy::from_paths(&args.files, namespace)?;
        Listing::compiled(compiled.bot(&args.bot)?, &compiled.problems)
    };
    show(&listing, screen)?;
    Ok(Exit::Success)
}

async fn enforced(cluster: &Cluster, bot: &str) -> Result<ListToolsResponse, GatewayError> {
    let gateway = Gateway::connect(cluster, bot).await?;
    match gateway.guardian().list_tools(ListToolsRequest {}).await {
        Ok(response) => Ok(response.into_inner()),
        Err(status) => Err(gateway.refused(status).await),
    }
}

fn show(listing: &Listing, screen: &mut Screen) -> std::io::Result<()> {
    if screen.format() != Format::Table {
        return screen.data(listing);
    }
    for warning in &listing.warnings {
        anstream::eprintln!("{} {}", paint::with(paint::WARN, "warning:"), printable(warning));
    }
    screen.line(&paint::with(
        paint::DIM,
        format!("bot {}, {}", listing.bot, listing.policy()),
    ))?;
    if listing.tools.is_empty() {
        return screen.line("It sees no tools.");
    }
    screen.table(&listing.table())
}
