//! `audit verify`: whether a chain holds, in a file or at its source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::pin::pin;

use futures::TryStreamExt as _;
use monstrum_wire::audit::Verifier;
use monstrum_wire::ledger::ReadRequest;
use serde::Serialize;

use super::chain::{self, record_of};
use super::file::{Head, parse_head};
use super::reader::Reader;
use crate::cluster::ClusterArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::InputError;
use crate::output::{Format, Screen, paint, printable};

/// Verify that nobody changed a bot's records
///
/// Finds an edited, deleted, repeated or moved record by its number, and a cut-off end. An export is verified without a
/// cluster. Who can rewrite the whole file can make a new chain that holds: compare its end with a head that was noted
/// elsewhere (--head), or with the ledger (--live).
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum audit verify triage.jsonl
  monstrum audit verify triage.jsonl --head 1204:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  monstrum audit verify --live triage
  monstrum audit verify triage.jsonl --live triage

The exit code is 0 when every chain holds and 1 when one does not.")]
pub(super) struct VerifyArgs {
    /// Files that `audit export` wrote
    #[arg(value_name = "FILE", required_unless_present = "live")]
    files: Vec<PathBuf>,
    /// The number and hash that the chain must end with
    #[arg(long, value_name = "SEQUENCE:HASH", value_parser = parse_head)]
    head: Option<Head>,
    /// Verify the ledger's records of this bot, and that the files are the beginning of them
    #[arg(long, value_name = "BOT", value_parser = crate::arguments::object_name)]
    live: Option<String>,
}

/// What came of one chain.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    subject: String,
    intact: bool,
    bot: String,
    records: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Head>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Finding {
    fn intact(subject: String, bot: String, head: Head) -> Self {
        Self {
            subject,
            intact: true,
            bot,
            records: head.sequence,
            head: Some(head),
            record: None,
            problem: None,
        }
    }

    fn broken(subject: String, record: Option<u64>, problem: String) -> Self {
        let (bot, head) = (String::new(), None);
        Self {
            subject,
            intact: false,
            bot,
            records: 0,
            head,
            record,
            problem: Some(problem),
        }
    }
}

pub(super) async fn run(
    args: &VerifyArgs,
    cluster: &ClusterArgs,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let mut findings = Vec::new();
    for path in &args.files {
        findings.push(of_file(path, args.head.as_ref())?);
    }
    if let Some(bot) = &args.live {
        let live = of_ledger(cluster, bot, args.head.as_ref(), &mut findings).await?;
        findings.push(live);
    }
    show(&findings, screen)?;
    Ok(if findings.iter().all(|finding| finding.intact) {
        Exit::Success
    } else {
        Exit::Found
    })
}

fn of_file(path: &PathBuf, head: Option<&Head>) -> Result<Finding, InputError> {
    let subject = path.display().to_string();
    let file = File::open(path).map_err(|source| InputError::Read {
        path: subject.clone(),
        source,
    })?;
    Ok(match chain::verify(BufReader::new(file), head) {
        Ok(verified) => Finding::intact(subject, verified.bot, verified.head),
        Err(flaw) => Finding::broken(subject, flaw.record(), flaw.to_string()),
    })
}

/// Files that are no beginning of the ledger's chain are found out by the hash of their last record.
async fn of_ledger(
    cluster: &ClusterArgs,
    bot: &str,
    expected: Option<&Head>,
    files: &mut [Finding],
) -> Result<Finding, Failure> {
    let reader = Reader::connect(cluster, bot).await?;
    let head = reader.head().await?;
    let subject = format!("bot {bot}");
    let mut verifier = Verifier::default();
    let mut name = String::new();
    let wanted: BTreeSet<u64> = files
        .iter()
        .filter_map(|file| file.head.as_ref())
        .map(|head| head.sequence)
        .collect();
    let mut hashes = BTreeMap::from([(0, monstrum_wire::audit::GENESIS.to_owned())]);
    let mut stream = pin!(
        reader
            .read(ReadRequest {
                from_sequence: 1,
                limit: 0,
                session: String::new()
            })
            .await?
    );
    while let Some(record) = stream.try_next().await? {
        if record.sequence > head.sequence {
            break;
        }
        if let Err(broken) = verifier.push(&record) {
            return Ok(Finding::broken(
                subject,
                Some(record_of(&broken)),
                broken.to_string(),
            ));
        }
        name.clone_from(&record.bot);
        if wanted.contains(&record.sequence) {
            hashes.insert(record.sequence, record.hash);
        }
    }
    compare(files, &name, &hashes);
    let end = Head {
        sequence: head.sequence,
        hash: head.hash,
    };
    for end in [Some(&end), expected].into_iter().flatten() {
        if let Err(broken) = verifier.finish(end.sequence, &end.hash) {
            return Ok(Finding::broken(
                subject,
                Some(record_of(&broken)),
                broken.to_string(),
            ));
        }
    }
    Ok(Finding::intact(subject, name, end))
}

fn compare(files: &mut [Finding], bot: &str, hashes: &BTreeMap<u64, String>) {
    for file in files.iter_mut() {
        let Some(head) = &file.head else { continue };
        let same_bot = file.bot.is_empty() || file.bot == bot;
        if same_bot && hashes.get(&head.sequence) == Some(&head.hash) {
            continue;
        }
        let problem = format!(
            "the file holds, but is not the beginning of the ledger's records of {bot}: record {} is another there",
            head.sequence
        );
        *file = Finding::broken(file.subject.clone(), Some(head.sequence), problem);
    }
}

fn show(findings: &[Finding], screen: &mut Screen) -> std::io::Result<()> {
    if screen.format() != Format::Table {
        return screen.data(&findings);
    }
    for finding in findings {
        let (mark, text) = match (&finding.problem, &finding.head) {
            (Some(problem), _) => (paint::with(paint::BAD, "BROKEN"), problem.clone()),
            (None, Some(head)) if finding.bot.is_empty() => (
                paint::with(paint::GOOD, "intact"),
                format!("no records, head {}:{}", head.sequence, head.hash),
            ),
            (None, head) => (
                paint::with(paint::GOOD, "intact"),
                describe(finding, head.as_ref()),
            ),
        };
        screen.line(&format!(
            "{mark}  {}: {}",
            printable(&finding.subject),
            printable(&text)
        ))?;
    }
    Ok(())
}

fn describe(finding: &Finding, head: Option<&Head>) -> String {
    let head = head
        .map(|head| format!(", head {}:{}", head.sequence, head.hash))
        .unwrap_or_default();
    format!("{} records of {}{head}", finding.records, finding.bot)
}
