//! The audit chain: how a record hashes, and how a chain is verified without the ledger.

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::ledger::AuditRecord;

/// The `previous_hash` of a bot's first record.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Hex SHA-256 over the record in protobuf's encoding, without its own hash.
pub fn hash(record: &AuditRecord) -> String {
    let covered = AuditRecord {
        hash: String::new(),
        ..record.clone()
    };
    hex::encode(Sha256::digest(covered.encode_to_vec()))
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The content is not what was hashed.
    #[error("record {sequence} was edited: its content hashes to {computed}, it says {stored}")]
    Edited {
        /// Which record.
        sequence: u64,
        /// What its content hashes to.
        computed: String,
        /// What it says.
        stored: String,
    },
    /// A record is missing, repeated, or out of place.
    #[error(
        "record {expected} was expected, record {found} came: records were deleted, repeated or reordered"
    )]
    Sequence {
        /// The number that had to come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The link to the record before does not hold.
    #[error("record {sequence} does not follow the record before it")]
    Link {
        /// Which record.
        sequence: u64,
    },
    /// Another bot's record.
    #[error("record {sequence} belongs to {found}, the chain to {expected}")]
    Foreign {
        /// Which record.
        sequence: u64,
        /// The chain's bot.
        expected: String,
        /// The record's bot.
        found: String,
    },
    /// The chain ends before the head that was noted.
    #[error("the chain ends at record {found}, its head is record {expected} ({hash})")]
    Truncated {
        /// The noted head.
        expected: u64,
        /// The noted head's hash.
        hash: String,
        /// Where the chain ends.
        found: u64,
    },
}

/// Reads one bot's records in order and says where the chain breaks.
#[derive(Debug, Clone, Default)]
pub struct Verifier {
    bot: Option<String>,
    last: Option<(u64, String)>,
}

impl Verifier {
    /// Takes the next record. The first must be record 1.
    pub fn push(&mut self, record: &AuditRecord) -> Result<(), Broken> {
        let (expected, previous) = match &self.last {
            None => (1, GENESIS.to_owned()),
            Some((sequence, hash)) => (sequence.saturating_add(1), hash.clone()),
        };
        if record.sequence != expected {
            return Err(Broken::Sequence {
                expected,
                found: record.sequence,
            });
        }
        let bot = self.bot.get_or_insert_with(|| record.bot.clone());
        if *bot != record.bot {
            return Err(Broken::Foreign {
                sequence: record.sequence,
                expected: bot.clone(),
                found: record.bot.clone(),
            });
        }
        let computed = hash(record);
        if computed != record.hash {
            return Err(Broken::Edited {
                sequence: record.sequence,
                computed,
                stored: record.hash.clone(),
            });
        }
        if record.previous_hash != previous {
            return Err(Broken::Link {
                sequence: record.sequence,
            });
        }
        self.last = Some((record.sequence, record.hash.clone()));
        Ok(())
    }

    /// Compares the end of the chain with a head that was noted elsewhere, so that a cut-off tail shows.
    pub fn finish(&self, head_sequence: u64, head_hash: &str) -> Result<(), Broken> {
        let (found, hash) = self.last.clone().unwrap_or((0, GENESIS.to_owned()));
        if found == head_sequence && hash == head_hash {
            return Ok(());
        }
        Err(Broken::Truncated {
            expected: head_sequence,
            hash: head_hash.to_owned(),
            found,
        })
    }

    /// How many records were taken, and the hash of the last.
    pub fn head(&self) -> (u64, &str) {
        self.last
            .as_ref()
            .map_or((0, GENESIS), |(sequence, hash)| (*sequence, hash.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: u64) -> Vec<AuditRecord> {
        let mut previous = GENESIS.to_owned();
        (1..=length)
            .map(|sequence| {
                let mut record = AuditRecord {
                    sequence,
                    bot: "team-a/triage/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11".to_owned(),
                    kind: "decision".to_owned(),
                    previous_hash: previous.clone(),
                    ..AuditRecord::default()
                };
                record.hash = hash(&record);
                previous.clone_from(&record.hash);
                record
            })
            .collect()
    }

    fn verify(records: &[AuditRecord]) -> Result<(), Broken> {
        let mut verifier = Verifier::default();
        records.iter().try_for_each(|record| verifier.push(record))
    }

    #[test]
    fn a_whole_chain_holds() {
        verify(&chain(4)).unwrap();
    }

    #[test]
    fn an_edit_shows() {
        let mut records = chain(4);
        records[1].verdict = "allow".to_owned();
        assert!(matches!(
            verify(&records),
            Err(Broken::Edited { sequence: 2, .. })
        ));
    }

    #[test]
    fn an_edit_with_its_own_hash_recomputed_shows_at_the_next_record() {
        let mut records = chain(4);
        records[1].verdict = "allow".to_owned();
        records[1].hash = hash(&records[1]);
        assert_eq!(verify(&records), Err(Broken::Link { sequence: 3 }));
    }

    #[test]
    fn a_deletion_shows() {
        let mut records = chain(4);
        records.remove(2);
        assert_eq!(
            verify(&records),
            Err(Broken::Sequence {
                expected: 3,
                found: 4
            })
        );
    }

    #[test]
    fn a_reorder_shows() {
        let mut records = chain(4);
        records.swap(1, 2);
        assert_eq!(
            verify(&records),
            Err(Broken::Sequence {
                expected: 2,
                found: 3
            })
        );
    }

    #[test]
    fn a_cut_tail_shows_against_the_head() {
        let records = chain(4);
        let mut verifier = Verifier::default();
        records[..3]
            .iter()
            .for_each(|record| verifier.push(record).unwrap());
        assert!(matches!(
            verifier.finish(4, &records[3].hash),
            Err(Broken::Truncated { found: 3, .. })
        ));
    }

    #[test]
    fn another_bots_record_shows() {
        let mut records = chain(2);
        records[1].bot = "team-a/triage/c0b1f6d2-33a5-4c0e-9a61-5d2b0a4be0a7".to_owned();
        records[1].hash = hash(&records[1]);
        assert!(matches!(
            verify(&records),
            Err(Broken::Foreign { sequence: 2, .. })
        ));
    }
}
