//! `chains` and `export`: reading the audit of bots that are gone, which have no gateway to ask.

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use monstrum_wire::identity::Identity;

use crate::sqlite::{Archive, ArchiveError};
use crate::tenant::BotKey;

/// Flags of `chains`.
#[derive(Debug, clap::Args)]
pub(super) struct ChainsArgs {
    /// The folder that holds the database.
    #[arg(long, env = "MONSTRUM_DATA_DIR", default_value = "/var/lib/monstrum")]
    data_dir: PathBuf,
}

/// Flags of `export`.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// The folder that holds the database.
    #[arg(long, env = "MONSTRUM_DATA_DIR", default_value = "/var/lib/monstrum")]
    data_dir: PathBuf,
    /// Whose chain, as `chains` lists it: two bots of one name differ in their UID.
    #[arg(value_name = "NAMESPACE/NAME/UID", value_parser = bot)]
    bot: BotKey,
}

pub(super) fn chains(args: &ChainsArgs) -> Result<(), ArchiveError> {
    let mut out = std::io::stdout().lock();
    for chain in Archive::open(&args.data_dir)?.chains()? {
        let newest = jiff::Timestamp::from_microsecond(chain.newest.micros()).unwrap_or_default();
        writeln!(out, "{}\t{}\t{newest}", chain.bot, chain.records)?;
    }
    Ok(())
}

pub(super) fn export(args: &ExportArgs) -> Result<(), ArchiveError> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let head = Archive::open(&args.data_dir)?.export(&args.bot, &mut out)?;
    // To the standard error: the standard output is the export.
    eprintln!(
        "{}: {} records, chain verified, head {}:{}",
        args.bot, head.sequence, head.sequence, head.hash
    );
    Ok(())
}

fn bot(text: &str) -> Result<BotKey, String> {
    let complaint = || "write it as NAMESPACE/NAME/UID".to_owned();
    let [namespace, name, uid]: [&str; 3] = text
        .split('/')
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| complaint())?;
    match Identity::from_path(&format!("ns/{namespace}/bot/{name}/{uid}/gateway")) {
        Some(Identity::Gateway(bot)) => Ok(BotKey::from(&bot)),
        Some(_) | None => Err(complaint()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("team-a/triage/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11", true)]
    #[case("team-a/triage", false)]
    #[case("team-a/triage/newest", false)]
    #[case("team-a/triage/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11/x", false)]
    #[case("", false)]
    fn a_chain_is_named_by_its_object(#[case] text: &str, #[case] good: bool) {
        assert_eq!(
            bot(text).map(|bot| bot.to_string()).ok().as_deref(),
            good.then_some(text)
        );
    }
}
