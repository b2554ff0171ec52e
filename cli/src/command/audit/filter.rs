//! Which records are wanted.

use jiff::{Span, Timestamp};
use monstrum_wire::ledger::AuditRecord;

/// Only some records. All that is given must hold.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Filter {
    /// Only records of this session
    #[arg(long, value_name = "SESSION")]
    pub(super) session: Option<String>,
    /// Only records of this kind, for example decision or call.started; may be repeated
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Only records of this tool, by its name as the bot sees it; may be repeated
    #[arg(long, value_name = "TOOL")]
    tool: Vec<String>,
    /// Only records with this verdict
    #[arg(long, value_name = "VERDICT", value_parser = ["allow", "deny", "needs-approval"])]
    verdict: Option<String>,
    #[arg(
        help = "Only records with this reason, for example OutOfScope",
        long,
        value_name = "REASON"
    )]
    reason: Option<String>,
    /// Only records of messages from this user
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only records since then: a time such as 2026-01-31T08:00:00Z, or how long ago, such as 2h or 7d
    #[arg(long, value_name = "TIME", value_parser = instant)]
    since: Option<Timestamp>,
    /// Only records before then, written like --since
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Option<Timestamp>,
}

impl Filter {
    /// Whether every record is wanted.
    pub(super) fn is_open(&self) -> bool {
        self.session.is_none()
            && self.kind.is_empty()
            && self.tool.is_empty()
            && self.verdict.is_none()
            && self.reason.is_none()
            && self.user.is_none()
            && self.since.is_none()
            && self.until.is_none()
    }

    /// Whether this record is wanted.
    pub(super) fn takes(&self, record: &AuditRecord) -> bool {
        let is =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        let one_of =
            |wanted: &[String], found: &str| wanted.is_empty() || wanted.iter().any(|one| one == found);
        is(&self.session, &record.session)
            && one_of(&self.kind, &record.kind)
            && one_of(&self.tool, &record.tool)
            && is(&self.verdict, &record.verdict)
            && is(&self.reason, &record.reason)
            && is(&self.user, &record.user)
            && self
                .since
                .is_none_or(|since| record.time_micros >= since.as_microsecond())
            && self
                .until
                .is_none_or(|until| record.time_micros < until.as_microsecond())
    }
}

/// A time, or how long ago.
fn instant(text: &str) -> Result<Timestamp, String> {
    instant_from(text, Timestamp::now())
}

fn instant_from(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(timestamp) = text.parse() {
        return Ok(timestamp);
    }
    let complaint =
        || format!("{text:?} is neither a time such as 2026-01-31T08:00:00Z nor a length such as 2h or 7d");
    let span: Span = text.parse().map_err(|_| complaint())?;
    // Timestamps know no calendar: a day is 24 hours here.
    let seconds = span
        .total((jiff::Unit::Second, jiff::SpanRelativeTo::days_are_24_hours()))
        .map_err(|_| complaint())?;
    let ago = jiff::SignedDuration::try_from_secs_f64(seconds.abs()).map_err(|_| complaint())?;
    now.checked_sub(ago).map_err(|_| complaint())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")]
    #[case("90s", "2026-01-31T11:58:30Z")]
    #[case("2h", "2026-01-31T10:00:00Z")]
    #[case("7d", "2026-01-24T12:00:00Z")]
    #[case("1h30m", "2026-01-31T10:30:00Z")]
    fn times_are_read(#[case] text: &str, #[case] time: &str) {
        let now = "2026-01-31T12:00:00Z".parse().unwrap();
        assert_eq!(instant_from(text, now).unwrap(), time.parse().unwrap());
    }

    #[rstest]
    #[case("yesterday")]
    #[case("5")]
    #[case("99999999y")]
    fn other_texts_are_no_times(#[case] text: &str) {
        assert!(instant_from(text, Timestamp::UNIX_EPOCH).is_err());
    }

    #[test]
    fn all_that_is_asked_must_hold() {
        let record = AuditRecord {
            kind: "decision".to_owned(),
            tool: "github_list_issues".to_owned(),
            verdict: "deny".to_owned(),
            time_micros: 5,
            ..AuditRecord::default()
        };
        let filter = Filter {
            verdict: Some("deny".to_owned()),
            ..Filter::default()
        };
        assert!(filter.takes(&record));
        assert!(
            !Filter {
                tool: vec!["other".to_owned()],
                ..filter.clone()
            }
            .takes(&record)
        );
        assert!(
            !Filter {
                until: Some(Timestamp::from_microsecond(5).unwrap()),
                ..filter
            }
            .takes(&record)
        );
        assert!(Filter::default().takes(&record) && Filter::default().is_open());
    }
}
