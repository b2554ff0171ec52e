//! `explain`: the decision on one call, and how it came about.

mod answer;
mod tree;

use std::path::PathBuf;

use jiff::Timestamp;
use monstrum_guardian::decision::{Call, Decision};
use monstrum_wire::guardian::CheckRequest;

use self::answer::Answer;
use crate::cluster::{Cluster, ClusterArgs, Gateway, GatewayError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::InputError;
use crate::output::{Format, Screen};
use crate::policy::{self, Compiled};

/// Explain what would be decided on a call, and why
///
/// Shows each grant with each of its dimensions, the value of the call, the pattern that matched or those that did not,
/// and what would have had to be granted. Nothing is executed and nothing is recorded.
///
/// The policy is compiled here: from files (-f), else from the objects in the cluster; then the bot's gateway is asked as
/// well, and a difference is told. Quotas and budgets count as unused here. With --enforced only the gateway is asked: its own
/// decision, with their use as it is now.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum explain triage github_list_issues --args '{\"owner\":\"acme\",\"repo\":\"web\"}'
  monstrum explain triage shell_execute --args '{\"command\":\"docker logs web; rm -rf /\"}' -f policy/
  monstrum explain triage github_create_issue --args @call.json --enforced

The exit code is 0 when the call is allowed, 2 when it is denied, 3 when a person must agree first.")]
pub(crate) struct ExplainArgs {
    /// The bot; NAMESPACE/NAME tells bots of one name in several files apart
    #[arg(value_parser = crate::arguments::bot_name)]
    bot: String,
    /// The tool, by its name as the bot sees it
    tool: String,
    /// The arguments, a JSON object; @FILE reads them from a file. They are judged exactly as written
    #[arg(long, value_name = "JSON", default_value = "{}")]
    args: String,
    /// Compile the policy of these files or folders instead of the cluster's objects
    #[arg(
        short = 'f',
        long = "filename",
        value_name = "FILE",
        conflicts_with = "enforced"
    )]
    files: Vec<PathBuf>,
    /// Ask the bot's gateway what it enforces
    #[arg(long)]
    enforced: bool,
    /// Judge as of this time [default: now]
    #[arg(long, value_name = "TIME", conflicts_with = "enforced")]
    at: Option<Timestamp>,
}

pub(super) async fn run(
    args: &ExplainArgs,
    cluster: &ClusterArgs,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let arguments = arguments(&args.args)?;
    let answer = if args.files.is_empty() {
        let (cluster, bot) = Cluster::connect_for(cluster, &args.bot).await?;
        let live = enforced(&cluster, bot, &args.tool, &arguments).await;
        if args.enforced {
            live?
        } else {
            let mut answer = compiled(args, &arguments, &policy::from_cluster(&cluster).await?)?;
            if args.at.is_none() {
                answer.compare(live);
            }
            answer
        }
    } else {
        let namespace = cluster.namespace.as_deref().unwrap_or("default");
        compiled(args, &arguments, &policy::from_paths(&args.files, namespace)?)?
    };
    if screen.format() == Format::Table {
        screen.text(&tree::render(&answer))?;
    } else {
        screen.data(&answer)?;
    }
    Ok(answer.exit())
}

/// The decision as text, for others that have to explain one.
pub(in crate::command) fn told(
    policy: &policy::BotPolicy,
    tool: &str,
    arguments: &str,
    decision: &Decision,
) -> String {
    tree::render(&Answer::compiled(policy, tool, arguments, decision, &[]))
}

fn arguments(text: &str) -> Result<String, InputError> {
    match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|source| InputError::Read {
            path: path.to_owned(),
            source,
        }),
        None => Ok(text.to_owned()),
    }
}

fn compiled(args: &ExplainArgs, arguments: &str, compiled: &Compiled) -> Result<Answer, Failure> {
    let policy = compiled.bot(&args.bot)?;
    let facts = policy.fresh_facts(args.at.unwrap_or_else(Timestamp::now));
    let decision = policy.engine.explain(
        &Call {
            tool: &args.tool,
            arguments,
        },
        &facts,
    );
    Ok(Answer::compiled(
        policy,
        &args.tool,
        arguments,
        &decision,
        &compiled.problems,
    ))
}

async fn enforced(cluster: &Cluster, bot: &str, tool: &str, arguments: &str) -> Result<Answer, GatewayError> {
    let gateway = Gateway::connect(cluster, bot).await?;
    let request = CheckRequest {
        tool: tool.to_owned(),
        arguments_json: arguments.to_owned(),
    };
    match gateway.guardian().check(request).await {
        Ok(response) => {
            let bot = format!("{}/{bot}", cluster.namespace);
            Ok(Answer::enforced(bot, tool, arguments, response.into_inner()))
        }
        Err(status) => Err(gateway.refused(status).await),
    }
}
