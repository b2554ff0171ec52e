//! `audit list`: the newest records that are wanted.

use std::collections::VecDeque;
use std::pin::pin;

use futures::TryStreamExt as _;
use monstrum_wire::ledger::{AuditRecord, ReadRequest};

use super::filter::Filter;
use super::reader::Reader;
use super::row;
use crate::cluster::{ClusterArgs, GatewayError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Format, Screen};

/// List a bot's newest records
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum audit list triage --verdict deny --since 24h
  monstrum audit list triage --tool github_create_issue --last 10 -o json")]
pub(super) struct ListArgs {
    /// The bot
    #[arg(value_parser = crate::arguments::object_name)]
    bot: String,
    /// How many at most, the newest
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    last: usize,
    #[command(flatten)]
    filter: Filter,
}

pub(super) async fn run(
    args: &ListArgs,
    cluster: &ClusterArgs,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let reader = Reader::connect(cluster, &args.bot).await?;
    let records = newest(&reader, &args.filter, args.last).await?;
    if screen.format() == Format::Table {
        show(&records, screen)?;
    } else {
        records.iter().try_for_each(|record| screen.item(record))?;
    }
    Ok(Exit::Success)
}

fn show(records: &VecDeque<AuditRecord>, screen: &mut Screen) -> std::io::Result<()> {
    if records.is_empty() {
        return screen.line("No records.");
    }
    let mut table = row::table();
    for record in records {
        row::add(&mut table, record);
    }
    screen.table(&table)
}

/// Without a filter, only the end of the chain is read.
pub(super) async fn newest(
    reader: &Reader,
    filter: &Filter,
    count: usize,
) -> Result<VecDeque<AuditRecord>, GatewayError> {
    let mut from_sequence = 1;
    if filter.is_open() {
        let head = reader.head().await?.sequence;
        from_sequence = head.saturating_sub(count as u64).saturating_add(1);
    }
    let session = filter.session.clone().unwrap_or_default();
    let mut records = VecDeque::new();
    let mut stream = pin!(
        reader
            .read(ReadRequest {
                from_sequence,
                limit: 0,
                session
            })
            .await?
    );
    while let Some(record) = stream.try_next().await? {
        if filter.takes(&record) {
            records.push_back(record);
        }
        if records.len() > count {
            records.pop_front();
        }
    }
    Ok(records)
}
