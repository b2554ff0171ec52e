//! How a record takes its place at the end of a bot's chain. Pure: the store runs it inside its transaction.

use monstrum_wire::audit;
use monstrum_wire::ledger::AuditRecord;

use super::excerpt;
use crate::clock::Moment;
use crate::tenant::BotKey;

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The last record's number; 0 before the first.
    pub sequence: u64,
    /// The last record's hash.
    pub hash: String,
    /// The last record's time.
    pub time: Moment,
}

impl Head {
    /// The head of a chain without records.
    pub fn genesis() -> Self {
        Self {
            sequence: 0,
            hash: audit::GENESIS.to_owned(),
            time: Moment::from_micros(0),
        }
    }

    /// The entry as the record after this head. Number, bot, time and hashes are set here whatever the entry says;
    /// a clock that reads less than the record before repeats that record's time.
    pub fn extended(&self, bot: &BotKey, now: Moment, entry: AuditRecord) -> AuditRecord {
        let mut record = AuditRecord {
            sequence: self.sequence.saturating_add(1),
            bot: bot.as_str().to_owned(),
            time_micros: now.max(self.time).micros(),
            previous_hash: self.hash.clone(),
            hash: String::new(),
            ..excerpt::bounded(entry)
        };
        record.hash = audit::hash(&record);
        record
    }

    /// The head that this record makes.
    pub fn of(record: &AuditRecord) -> Self {
        Self {
            sequence: record.sequence,
            hash: record.hash.clone(),
            time: Moment::from_micros(record.time_micros),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_wire::audit::Verifier;
    use monstrum_wire::identity::BotId;

    const UID: &str = "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11";

    fn bot() -> BotKey {
        BotKey::from(&BotId {
            namespace: "team-a".to_owned(),
            name: "triage".to_owned(),
            uid: UID.parse().unwrap(),
        })
    }

    #[test]
    fn a_callers_own_numbers_and_hashes_are_ignored() {
        let entry = AuditRecord {
            sequence: 77,
            bot: "team-b/other".to_owned(),
            time_micros: 5,
            kind: "decision".to_owned(),
            previous_hash: "f".repeat(64),
            hash: "f".repeat(64),
            ..AuditRecord::default()
        };
        let record = Head::genesis().extended(&bot(), Moment::from_micros(9), entry);
        assert_eq!(
            (record.sequence, record.bot.as_str(), record.time_micros),
            (1, "team-a/triage/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11", 9)
        );
        Verifier::default().push(&record).unwrap();
    }

    #[test]
    fn time_never_goes_back_in_a_chain() {
        let first = Head::genesis().extended(&bot(), Moment::from_micros(9), AuditRecord::default());
        let second = Head::of(&first).extended(&bot(), Moment::from_micros(3), AuditRecord::default());
        assert_eq!(second.time_micros, 9);
        let mut verifier = Verifier::default();
        verifier.push(&first).unwrap();
        verifier.push(&second).unwrap();
    }
}
