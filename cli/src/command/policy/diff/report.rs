//! Changes for people.

use super::change::{BotChange, GrantWords, Widened};
use super::example::Example;
use crate::output::{Page, paint, printable};

/// A paragraph for each bot.
pub(super) fn render(changes: &[BotChange]) -> String {
    let mut out = Page::default();
    if changes.is_empty() {
        out.line("No bot's permissions change.");
        return out.to_string();
    }
    for change in changes {
        out.line(paint::with(
            paint::STRONG,
            format!("bot {}", printable(&change.bot)),
        ));
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
    lines.extend(change.visible.iter().map(|tool| plus(format!("sees {tool}"))));
    lines.extend(
        change
            .hidden
            .iter()
            .map(|tool| minus(format!("no longer sees {tool}"))),
    );
    lines.extend(change.grants_added.iter().map(|grant| plus(granted(grant))));
    lines.extend(change.grants_removed.iter().map(|grant| minus(granted(grant))));
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
    lines.extend(change.widenings.iter().map(widened));
    if lines.is_empty() {
        lines.push(
            "changed without effect on what it may do: descriptions, credentials or settings".to_owned(),
        );
    }
    lines.extend(change.problems.iter().map(|problem| warned(problem)));
    lines
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
        "widened"
    } else {
        "may be widened"
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
    match changes.iter().filter(|change| change.widens()).count() {
        0 => paint::with(paint::GOOD, "Nothing is permitted that was not permitted before."),
        widened => paint::with(
            paint::WARN,
            format!("Bots that may do more than before: {widened}"),
        ),
    }
}
