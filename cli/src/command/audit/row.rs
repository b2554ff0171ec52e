//! A record on one line.

use jiff::Timestamp;
use monstrum_guardian::excerpt;
use monstrum_wire::ledger::AuditRecord;

use crate::output::{Cell, Table, paint, printable};

/// How much of the arguments a line shows.
const MAX_ARGUMENTS: usize = 60;

/// To the second, UTC.
fn time(record: &AuditRecord) -> String {
    Timestamp::from_microsecond(record.time_micros)
        .map_or_else(|_| record.time_micros.to_string(), |time| format!("{time:.0}"))
}

/// A table for records.
pub(super) fn table() -> Table {
    Table::new([
        "SEQUENCE", "TIME", "KIND", "SESSION", "TOOL", "VERDICT", "REASON", "GRANT",
    ])
}

/// The record in its table.
pub(super) fn add(table: &mut Table, record: &AuditRecord) {
    table.row([
        record.sequence.to_string().into(),
        time(record).into(),
        record.kind.as_str().into(),
        record.session.as_str().into(),
        record.tool.as_str().into(),
        verdict(record),
        record.reason.as_str().into(),
        record.grant.as_str().into(),
    ]);
}

fn verdict(record: &AuditRecord) -> Cell {
    let style = match record.verdict.as_str() {
        "allow" => paint::GOOD,
        "deny" => paint::BAD,
        "needs-approval" => paint::WARN,
        _ => return record.verdict.as_str().into(),
    };
    Cell::styled(record.verdict.as_str(), style)
}

/// The record as a line of its own.
pub(super) fn line(record: &AuditRecord) -> String {
    let style = match record.verdict.as_str() {
        "allow" => paint::GOOD,
        "deny" => paint::BAD,
        "needs-approval" => paint::WARN,
        _ => paint::DIM,
    };
    let mut parts = vec![
        paint::with(paint::DIM, format!("{} #{}", time(record), record.sequence)),
        paint::with(style, printable(&record.kind)),
    ];
    let facts = [&record.tool, &record.verdict, &record.reason, &record.grant];
    parts.extend(
        facts
            .into_iter()
            .filter(|fact| !fact.is_empty())
            .map(|fact| printable(fact).into_owned()),
    );
    if !record.arguments_json.is_empty() {
        parts.push(paint::with(paint::DIM, short(&record.arguments_json)));
    }
    parts.join("  ")
}

fn short(text: &str) -> String {
    excerpt(&printable(text), MAX_ARGUMENTS).replace('\n', " ")
}
