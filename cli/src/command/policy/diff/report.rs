//! Changes for people.

use monstrum_crds::comparison::Change;

use super::change::{BotChange, Widened};
use super::example::Example;
use super::grant::GrantWords;
use crate::output::{Page, paint, printable};

/// A paragraph for each bot.
pub(super) fn render(changes: &[BotChange]) -> String {
    let mut out = Page::default();
    if changes.is_empty() {
        out.line("No bot's permissions change.");
        return out.to_string();
    }
    for change in changes {
        let title = match change.bot.strip_suffix("/*") {
            Some(namespace) => format!("namespace {}", printable(namespace)),
            None => format!("bot {}", printable(&change.bot)),
        };
        out.line(paint::with(paint::STRONG, title));
        for line in lines(change) {
            out.line(format!("  {line}"));
        }
    }
    out.line(verdict(changes));
    out.to_string()
}

fn lines(change: &BotChange) -> Vec<String> {
    let plus = |text: String| paint::with(paint::GOOD, format!("+ {text}"));
    let minus = |text: String| paint::with(paint::BAD, format!("- {text}"));
    let mut lines: Vec<String> = Vec::new();
    let seen = |tool: &String| printable(tool).into_owned();
    lines.extend(
        change
            .visible
            .iter()
            .map(|tool| plus(format!("sees {}", seen(tool)))),
    );
    lines.extend(
        change
            .hidden
            .iter()
            .map(|tool| minus(format!("no longer sees {}", seen(tool)))),
    );
    lines.extend(change.grants_added.iter().map(|grant| plus(granted(grant))));
    lines.extend(change.grants_removed.iter().map(|grant| minus(granted(grant))));
    lines.extend(altered(change));
    lines.extend(
        change
            .permitted
            .iter()
            .map(|example| plus(format!("permits {}", called(example)))),
    );
    lines.extend(
        change
            .forbidden
            .iter()
            .map(|example| minus(format!("forbids {}", called(example)))),
    );
    lines.extend(change.budgets_added.iter().map(|budget| plus(limited(budget))));
    lines.extend(change.budgets_removed.iter().map(|budget| minus(limited(budget))));
    lines.extend(change.budgets_loosened.iter().map(|budget| {
        let text = format!("! not kept: {}", printable(budget));
        paint::with(paint::WARN, text)
    }));
    lines.extend(change.objects.iter().map(about));
    lines.extend(change.widenings.iter().map(widened));
    if lines.is_empty() {
        lines.push(
            "changed without effect on what it may do: descriptions, credentials or settings".to_owned(),
        );
    }
    lines.extend(change.problems.iter().map(|problem| warned(problem)));
    lines
}

/// Grants and tools of which something changed.
fn altered(change: &BotChange) -> Vec<String> {
    let grants = change.grants_changed.iter().map(|grant| {
        let changes = grant.changes.join("; ");
        format!("~ grant {} ({}): {changes}", grant.origin, grant.binding)
    });
    let tools = change
        .tools_changed
        .iter()
        .map(|tool| format!("~ tool {}: {}", tool.tool, tool.changes.join("; ")));
    grants
        .chain(tools)
        .map(|line| printable(&line).into_owned())
        .collect()
}

fn about(change: &Change) -> String {
    let Change {
        object,
        field,
        what,
        may_widen,
    } = change;
    let place = if field.is_empty() {
        object.clone()
    } else {
        format!("{object} {field}")
    };
    if *may_widen {
        let text = format!("! may permit more: {place}: {what}");
        paint::with(paint::WARN, printable(&text))
    } else {
        printable(&format!("~ {place}: {what}")).into_owned()
    }
}

fn granted(grant: &GrantWords) -> String {
    printable(&format!(
        "grant {} ({}): {}",
        grant.origin, grant.binding, grant.words
    ))
    .into_owned()
}

fn limited(budget: &str) -> String {
    printable(budget).into_owned()
}

fn called(example: &Example) -> String {
    let approval = if example.needs_approval {
        ", once a person agrees"
    } else {
        ""
    };
    let text = format!(
        "{} {} by {}{approval}",
        example.tool, example.arguments, example.grant
    );
    printable(&text).into_owned()
}

fn widened(widening: &Widened) -> String {
    let how = if widening.proven {
        "permits more"
    } else {
        "may permit more"
    };
    let text = format!(
        "! {how}: {} by {}: {}",
        widening.tool, widening.grant, widening.why
    );
    paint::with(paint::WARN, printable(&text))
}

fn warned(problem: &str) -> String {
    format!("{} {}", paint::with(paint::WARN, "problem:"), printable(problem))
}

fn verdict(changes: &[BotChange]) -> String {
    let widened = |of_namespace: bool| {
        let widened = changes
            .iter()
            .filter(|change| change.widens() && change.is_of_namespace() == of_namespace);
        widened.count()
    };
    let (bots, namespaces) = (widened(false), widened(true));
    let mut lines = Vec::new();
    if bots > 0 {
        lines.push(format!("Bots that may do more than before: {bots}"));
    }
    if namespaces > 0 {
        lines.push(format!("Namespaces of which a ceiling was raised: {namespaces}"));
    }
    if lines.is_empty() {
        paint::with(paint::GOOD, "Nothing is permitted that was not permitted before.")
    } else {
        paint::with(paint::WARN, lines.join("\n"))
    }
}
