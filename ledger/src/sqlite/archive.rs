//! Reading every chain that the file holds, also those of bots that are gone, whose rows no caller reaches any more.

use std::io::Write;
use std::path::Path;

use monstrum_wire::audit::{Broken, Verifier};
use rusqlite::{Connection, params};
use serde_json::json;

use super::{FILE, reading, unsigned};
use crate::audit::chain::Head;
use crate::audit::{Page, sqlite as audit};
use crate::clock::Moment;
use crate::store::StoreError;
use crate::tenant::BotKey;

/// Records that are in memory at a time.
const PAGE: u32 = 256;

/// Why a chain can't be read out.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The data directory holds no database.
    #[error("{0} does not exist: --data-dir names the ledger's data directory")]
    Missing(String),
    /// Not one record of that bot.
    #[error("there is no chain of {0}: `chains` lists those that there are")]
    NoChain(String),
    /// The database failed.
    #[error("the database can't be read")]
    Store(#[from] StoreError),
    /// The reader is gone, or the disk is full.
    #[error("the export can't be written")]
    Write(#[from] std::io::Error),
    /// Somebody changed the records. All that there is was written.
    #[error("the chain is broken: {0}")]
    Broken(#[from] Broken),
}

/// One chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Whose, `namespace/name/uid`.
    pub bot: String,
    /// How many records.
    pub records: u64,
    /// When the newest was written.
    pub newest: Moment,
}

/// The chains of the database in a folder, also while a ledger serves it.
#[derive(Debug)]
pub struct Archive {
    connection: Connection,
}

impl Archive {
    /// Opens the database in `directory` for reading.
    pub fn open(directory: &Path) -> Result<Self, ArchiveError> {
        let file = directory.join(FILE);
        if !file.is_file() {
            return Err(ArchiveError::Missing(file.display().to_string()));
        }
        let connection = reading(&file).map_err(StoreError::from)?;
        Ok(Self { connection })
    }

    /// Every chain, in the order of the bots' keys.
    pub fn chains(&self) -> Result<Vec<Chain>, ArchiveError> {
        let read = || -> Result<Vec<Chain>, StoreError> {
            let mut statement = self
                .connection
                .prepare("SELECT bot, sequence, time_micros FROM audit_head ORDER BY bot")?;
            let mut rows = statement.query(params![])?;
            let mut chains = Vec::new();
            while let Some(row) = rows.next()? {
                chains.push(Chain {
                    bot: row.get(0)?,
                    records: unsigned(row.get(1)?, "the head of a chain")?,
                    newest: Moment::from_micros(row.get(2)?),
                });
            }
            Ok(chains)
        };
        Ok(read()?)
    }

    /// Writes a bot's chain as `monstrum audit export` does: a record as JSON on each line, and a last line with the head.
    pub fn export(&self, bot: &BotKey, sink: &mut impl Write) -> Result<Head, ArchiveError> {
        let head = audit::head(&self.connection, bot)?;
        if head.sequence == 0 {
            return Err(ArchiveError::NoChain(bot.to_string()));
        }
        let mut verifier = Verifier::default();
        let mut broken = None;
        let mut page = Page {
            from: 1,
            to: head.sequence,
            limit: PAGE,
            session: None,
        };
        loop {
            let records = audit::records(&self.connection, bot, &page)?;
            let Some(last) = records.last() else { break };
            page.from = last.sequence.saturating_add(1);
            for record in &records {
                broken = broken.or_else(|| verifier.push(record).err());
                serde_json::to_writer(&mut *sink, record).map_err(std::io::Error::from)?;
                sink.write_all(b"\n")?;
            }
        }
        let trailer = json!({"head": {"sequence": head.sequence, "hash": head.hash}});
        writeln!(sink, "{trailer}")?;
        sink.flush()?;
        match broken.or_else(|| verifier.finish(head.sequence, &head.hash).err()) {
            Some(broken) => Err(broken.into()),
            None => Ok(head),
        }
    }
}
