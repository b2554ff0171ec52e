//! `chat`: a conversation with a bot.

mod event;
mod identity;
mod image;
mod interactive;
mod render;
mod turn;

use monstrum_wire::chat::SendRequest;

use crate::cluster::{Cluster, ClusterArgs, Gateway};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Screen;

/// Talk with a bot
///
/// Without a message, every line that you type is one. The bot's answer goes to the standard output; its tool calls, the
/// decisions on them and their results go to the standard error. With -o json everything goes to the standard output, an
/// event on each line.
///
/// Ctrl-C during an answer stops watching it; at the prompt it ends the program.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum chat triage
  monstrum chat triage \"What is open in acme/web?\"
  git diff | monstrum chat reviewer -
  monstrum chat triage \"What is wrong on this page?\" --image screenshot.png
  monstrum chat triage \"And who reported it?\" --session 0198c5b2-7c1e-7d3a-9f0e-2b6f3c1d4e5f -o json

The exit code is 1 when the turn failed, and 69 when the bot cannot be reached.")]
pub(crate) struct ChatArgs {
    /// The bot
    #[arg(value_parser = crate::arguments::object_name)]
    bot: String,
    /// What to say; - reads it from the standard input
    message: Option<String>,
    /// Go on with this session instead of starting a new one
    #[arg(short, long, value_name = "SESSION")]
    session: Option<String>,
    /// The message's id: the same id is never run twice in a session, so that a message can be sent again safely
    #[arg(long, value_name = "ID", requires = "message")]
    message_id: Option<String>,
    /// Show it an image (PNG, JPEG, GIF or WebP): up to 4, each up to 360 KiB, all together up to 512 KiB
    #[arg(short, long, value_name = "FILE", requires = "message")]
    image: Vec<std::path::PathBuf>,
    /// Hide tool calls, decisions and results
    #[arg(short, long)]
    quiet: bool,
}

pub(super) async fn run(args: ChatArgs, cluster: &ClusterArgs, screen: &mut Screen) -> Result<Exit, Failure> {
    let images = image::all(&args.image)?;
    let cluster = Cluster::connect(cluster).await?;
    let gateway = Gateway::connect(&cluster, &args.bot).await?;
    let user = identity::of(&cluster).await;
    let mut session = args.session.unwrap_or_default();
    let Some(message) = args.message else {
        return interactive::run(&gateway, session, &user, args.quiet, screen).await;
    };
    let request = SendRequest {
        session: session.clone(),
        text: if message == "-" { stdin()? } else { message },
        user,
        message_id: args.message_id.unwrap_or_else(new_id),
        images,
    };
    tokio::select! {
        outcome = turn::run(&gateway, request, &mut session, args.quiet, screen) => outcome,
        _ = tokio::signal::ctrl_c() => {
            screen.flush()?;
            Ok(Exit::Interrupted)
        }
    }
}

fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn stdin() -> Result<String, Failure> {
    std::io::read_to_string(std::io::stdin()).map_err(Failure::Stdin)
}
