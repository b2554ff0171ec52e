//! The numbers, and every miss by name.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::replay::{Answer, Answered};
use super::suite::{Suite, Task};

/// Every suite under its policy. It is displayed as Markdown.
#[derive(Debug, Serialize)]
pub struct Report {
    pub(super) suites: Vec<Suite>,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = "| suite | user tasks permitted | attacks blocked | by a tool list alone | policy |";
        writeln!(f, "{head}\n| --- | --- | --- | --- | --- |")?;
        for suite in &self.suites {
            row(f, &suite.name, &[suite], short(&suite.policy))?;
        }
        row(f, "all", &self.suites.iter().collect::<Vec<_>>(), "")?;
        self.misses(f)?;
        self.defences(f)?;
        self.variants(f)
    }
}

impl Report {
    fn misses(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nMisses:\n")?;
        let mut none = true;
        for suite in &self.suites {
            for task in suite.user_tasks.iter().filter(|task| !task.permitted) {
                none = false;
                let permitted = |call: &Answered| matches!(call.answer, Answer::Permitted { .. });
                let stopped = task.calls.iter().filter(|call| !permitted(call));
                told(f, suite, task, "is not permitted", stopped)?;
            }
            for task in suite.attacks.iter().filter(|task| !task.blocked) {
                none = false;
                told(f, suite, task, "is not blocked", task.calls.iter())?;
            }
        }
        if none { writeln!(f, "none") } else { Ok(()) }
    }

    fn defences(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nWhat blocks the others, the first denied call of each:\n")?;
        for suite in &self.suites {
            for task in suite.attacks.iter().filter(|task| task.blocked) {
                let denied = |call: &&Answered| matches!(call.answer, Answer::Denied { .. });
                told(f, suite, task, "is blocked", task.calls.iter().find(denied))?;
            }
        }
        Ok(())
    }

    fn variants(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let all = || self.suites.iter().flat_map(|suite| &suite.variants);
        if all().next().is_none() {
            return Ok(());
        }
        let blocked = share(all().filter(|task| task.blocked).count(), all().count());
        writeln!(f, "\nVariants of ours that are blocked: {blocked}. The others:\n")?;
        for suite in &self.suites {
            for task in suite.variants.iter().filter(|task| !task.blocked) {
                told(f, suite, task, "is not blocked", task.calls.iter())?;
            }
        }
        Ok(())
    }
}

/// The counts of several suites together.
fn row(f: &mut Formatter<'_>, name: &str, suites: &[&Suite], policy: &str) -> fmt::Result {
    let users = || suites.iter().flat_map(|suite| &suite.user_tasks);
    let attacks = || suites.iter().flat_map(|suite| &suite.attacks);
    let permitted = share(users().filter(|task| task.permitted).count(), users().count());
    let blocked = share(attacks().filter(|task| task.blocked).count(), attacks().count());
    let listed = attacks().filter(|task| task.blocked_by_tool_list).count();
    let listed = share(listed, attacks().count());
    writeln!(f, "| {name} | {permitted} | {blocked} | {listed} | {policy} |")
}

fn share(part: usize, whole: usize) -> String {
    let thousandths = (part * 1_000).checked_div(whole).unwrap_or_default();
    format!("{part}/{whole} ({}.{} %)", thousandths / 10, thousandths % 10)
}

/// Enough of a digest to tell policies apart.
fn short(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

fn told<'a>(
    f: &mut Formatter<'_>,
    suite: &Suite,
    task: &Task,
    what: &str,
    calls: impl IntoIterator<Item = &'a Answered>,
) -> fmt::Result {
    writeln!(f, "- {} {} {what}", suite.name, task.id)?;
    for call in calls {
        write!(f, "  - {} {}: ", call.tool, call.arguments)?;
        match &call.answer {
            Answer::Permitted { grant } => writeln!(f, "permitted by {grant}")?,
            Answer::Waits { grant } => writeln!(f, "waits for a person, by {grant}")?,
            Answer::Denied {
                reason,
                message,
                unmet,
            } if unmet.is_empty() => writeln!(f, "{reason:?}, {message}")?,
            Answer::Denied { reason, unmet, .. } => {
                writeln!(f, "{reason:?}, {} does not match", unmet.join(", "))?;
            }
        }
    }
    if task.calls.is_empty() {
        writeln!(f, "  - it makes no call")?;
    }
    Ok(())
}
