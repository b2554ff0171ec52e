//! Whether a file's chain holds, and where not.

use std::io::BufRead;

use monstrum_wire::audit::{Broken, Verifier};

use super::file::{Head, Line};

/// The longest line that is read: a record is far smaller.
const MAX_LINE: usize = 16 << 20;

/// A chain that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verified {
    /// Whose, `namespace/name`; empty for an empty chain.
    pub(super) bot: String,
    /// Where it ends.
    pub(super) head: Head,
}

/// Where a file's chain breaks.
#[derive(Debug, thiserror::Error)]
pub(super) enum Flaw {
    /// The file cannot be read to its end.
    #[error("line {line} cannot be read: {source}")]
    Read {
        /// From 1.
        line: usize,
        /// Why.
        source: std::io::Error,
    },
    /// A line is no record.
    #[error("line {line} is not an audit record: {source}")]
    Line {
        /// From 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// A line is longer than any record.
    #[error("line {line} is longer than {} MiB", MAX_LINE >> 20)]
    TooLong {
        /// From 1.
        line: usize,
    },
    /// A record does not fit.
    #[error("line {line}: {broken}")]
    Broken {
        /// From 1.
        line: usize,
        /// How.
        broken: Broken,
    },
    /// There is no last line with the head.
    #[error(
        "the file ends after record {last} without the line that names the head: its end was cut off, or the export did not finish"
    )]
    NoTrailer {
        /// The last record.
        last: u64,
    },
    /// Something comes after the head.
    #[error("line {line} comes after the line that names the head")]
    AfterTrailer {
        /// From 1.
        line: usize,
    },
    /// The chain ends elsewhere than its last line, or the user, says.
    #[error("{0}")]
    End(Broken),
}

impl Flaw {
    /// The number of the record that is not what it was, where one can be named.
    pub(super) fn record(&self) -> Option<u64> {
        match self {
            Self::Broken { broken, .. } | Self::End(broken) => Some(record_of(broken)),
            Self::NoTrailer { last } => Some(last.saturating_add(1)),
            Self::Read { .. } | Self::Line { .. } | Self::TooLong { .. } | Self::AfterTrailer { .. } => None,
        }
    }
}

/// The first record that is missing, moved or changed.
pub(super) fn record_of(broken: &Broken) -> u64 {
    match broken {
        Broken::Edited { sequence, .. } | Broken::Link { sequence } | Broken::Foreign { sequence, .. } => {
            *sequence
        }
        Broken::Sequence { expected, .. } => *expected,
        Broken::Truncated { found, .. } => found.saturating_add(1),
    }
}

/// Reads an export and checks each record, its links, and its end.
pub(super) fn verify(mut reader: impl BufRead, expected: Option<&Head>) -> Result<Verified, Flaw> {
    let mut verifier = Verifier::default();
    let mut bot = String::new();
    let mut trailer: Option<Head> = None;
    let mut number = 0_usize;
    while let Some(text) = next_line(&mut reader, number.saturating_add(1))? {
        number = number.saturating_add(1);
        if trailer.is_some() {
            return Err(Flaw::AfterTrailer { line: number });
        }
        match Line::parse(&text).map_err(|source| Flaw::Line { line: number, source })? {
            Line::Record(record) => {
                verifier
                    .push(&record)
                    .map_err(|broken| Flaw::Broken { line: number, broken })?;
                bot.clone_from(&record.bot);
            }
            Line::Trailer(found) => trailer = Some(found.head),
        }
    }
    let head = trailer.ok_or(Flaw::NoTrailer {
        last: verifier.head().0,
    })?;
    verifier.finish(head.sequence, &head.hash).map_err(Flaw::End)?;
    if let Some(expected) = expected {
        verifier
            .finish(expected.sequence, &expected.hash)
            .map_err(Flaw::End)?;
    }
    Ok(Verified { bot, head })
}

fn next_line(reader: &mut impl BufRead, line: usize) -> Result<Option<String>, Flaw> {
    let mut bytes = Vec::new();
    let mut bounded = std::io::Read::take(reader, MAX_LINE as u64);
    let count = bounded
        .read_until(b'\n', &mut bytes)
        .map_err(|source| Flaw::Read { line, source })?;
    if count == 0 {
        return Ok(None);
    }
    if count >= MAX_LINE {
        return Err(Flaw::TooLong { line });
    }
    String::from_utf8(bytes).map(Some).map_err(|error| Flaw::Read {
        line,
        source: std::io::Error::other(error),
    })
}
