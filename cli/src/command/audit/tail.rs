//! `audit tail`: records as they are written.

use std::pin::pin;
use std::time::Duration;

use futures::TryStreamExt as _;
use monstrum_wire::ledger::ReadRequest;

use super::filter::Filter;
use super::list::newest;
use super::reader::Reader;
use super::row;
use crate::cluster::ClusterArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Format, Screen};

/// How often the gateway is asked for more.
const INTERVAL: Duration = Duration::from_millis(500);

/// Show a bot's records as they are written, until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum audit tail triage
  monstrum audit tail triage --verdict deny -o json")]
pub(super) struct TailArgs {
    /// The bot
    #[arg(value_parser = crate::arguments::object_name)]
    bot: String,
    /// How many older records to begin with
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    last: usize,
    #[command(flatten)]
    filter: Filter,
}

pub(super) async fn run(
    args: &TailArgs,
    cluster: &ClusterArgs,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    tokio::select! {
        result = follow(args, cluster, screen) => result,
        _ = tokio::signal::ctrl_c() => Ok(Exit::Success),
    }
}

async fn follow(args: &TailArgs, cluster: &ClusterArgs, screen: &mut Screen) -> Result<Exit, Failure> {
    let reader = Reader::connect(cluster, &args.bot).await?;
    let mut next = reader.head().await?.sequence.saturating_add(1);
    for record in newest(&reader, &args.filter, args.last).await? {
        next = next.max(record.sequence.saturating_add(1));
        show(&record, screen)?;
    }
    let session = args.filter.session.clone().unwrap_or_default();
    loop {
        let request = ReadRequest {
            from_sequence: next,
            limit: 0,
            session: session.clone(),
        };
        let mut stream = pin!(reader.read(request).await?);
        while let Some(record) = stream.try_next().await? {
            next = next.max(record.sequence.saturating_add(1));
            if args.filter.takes(&record) {
                show(&record, screen)?;
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

fn show(record: &monstrum_wire::ledger::AuditRecord, screen: &mut Screen) -> std::io::Result<()> {
    if screen.format() == Format::Table {
        screen.line(&row::line(record))?;
        screen.flush()
    } else {
        screen.item(record)
    }
}
