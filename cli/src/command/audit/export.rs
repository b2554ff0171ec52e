//! `audit export`: the whole chain as a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::pin::pin;

use futures::TryStreamExt as _;
use monstrum_wire::audit::Verifier;
use monstrum_wire::ledger::ReadRequest;
use serde::Serialize;

use super::file::{Head, Trailer};
use super::reader::Reader;
use crate::cluster::ClusterArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Screen;

/// Export a bot's whole chain as JSON lines
///
/// One record on each line, in order, and a last line with the number and hash of the newest record. Keep that pair
/// somewhere else as well: who can rewrite a file can rewrite its last line. The chain is verified on the way.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum audit export triage --file triage.jsonl
  monstrum audit export triage | gzip > triage.jsonl.gz")]
pub(super) struct ExportArgs {
    /// The bot
    #[arg(value_parser = crate::arguments::object_name)]
    bot: String,
    /// Where to write to [default: the standard output]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) async fn run(
    args: &ExportArgs,
    cluster: &ClusterArgs,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let reader = Reader::connect(cluster, &args.bot).await?;
    let mut sink = Sink::open(args.file.as_ref(), screen)?;
    let head = reader.head().await?;
    let mut verifier = Verifier::default();
    let mut broken = None;
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
        // What was written after the head was asked for belongs to the next export.
        if record.sequence > head.sequence {
            break;
        }
        if broken.is_none() {
            broken = verifier.push(&record).err();
        }
        sink.write(&record)?;
    }
    broken = broken.or_else(|| verifier.finish(head.sequence, &head.hash).err());
    sink.write(&Trailer {
        head: Head {
            sequence: head.sequence,
            hash: head.hash.clone(),
        },
    })?;
    sink.finish()?;
    Ok(conclude(
        &args.bot,
        &head.sequence.to_string(),
        &head.hash,
        broken,
    ))
}

/// To the standard error: the standard output may be the export itself.
fn conclude(bot: &str, sequence: &str, hash: &str, broken: Option<monstrum_wire::audit::Broken>) -> Exit {
    if let Some(broken) = broken {
        anstream::eprintln!("bot {bot}: the chain is broken: {broken}");
        return Exit::Found;
    }
    anstream::eprintln!("bot {bot}: {sequence} records, chain verified, head {sequence}:{hash}");
    Exit::Success
}

/// Where the export goes.
enum Sink<'a> {
    Screen(&'a mut Screen),
    File { path: String, file: BufWriter<File> },
}

impl<'a> Sink<'a> {
    fn open(path: Option<&PathBuf>, screen: &'a mut Screen) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self::Screen(screen));
        };
        let name = path.display().to_string();
        match File::create(path) {
            Ok(file) => Ok(Self::File {
                path: name,
                file: BufWriter::new(file),
            }),
            Err(source) => Err(Failure::Write { path: name, source }),
        }
    }

    fn write<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        let line = serde_json::to_string(value).map_err(|error| Failure::Output(io::Error::other(error)))?;
        match self {
            Self::Screen(screen) => Ok(screen.line(&line)?),
            Self::File { path, file } => writeln!(file, "{line}").map_err(|source| Failure::Write {
                path: path.clone(),
                source,
            }),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Screen(screen) => Ok(screen.flush()?),
            Self::File { path, mut file } => file
                .flush()
                .and_then(|()| file.get_ref().sync_all())
                .map_err(|source| Failure::Write { path, source }),
        }
    }
}
