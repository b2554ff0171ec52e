//! A decision for people.

use serde_json::Value;

use super::answer::{Answer, BudgetTrace, DimensionTrace, GrantTrace, Verdict};
use crate::output::{Page, Tree, paint, printable};

/// The verdict, and how it came about as a tree.
pub(super) fn render(answer: &Answer) -> String {
    let mut out = Page::default();
    out.line(paint::with(
        paint::DIM,
        format!("bot {}, {}", answer.bot, policy(answer)),
    ));
    out.line(verdict(answer));
    out.lines(&Tree::leaf(call(answer)).with(branches(answer)).render());
    for problem in &answer.problems {
        out.line(format!(
            "{} {}",
            paint::with(paint::WARN, "problem:"),
            printable(problem)
        ));
    }
    for warning in &answer.warnings {
        out.line(format!(
            "{} {}",
            paint::with(paint::WARN, "warning:"),
            printable(warning)
        ));
    }
    out.to_string()
}

fn policy(answer: &Answer) -> String {
    let digest = |digest: &str| {
        if digest.is_empty() {
            "none".to_owned()
        } else {
            digest.to_owned()
        }
    };
    if answer.policy_from == "gateway" {
        return format!(
            "policy {} (as its gateway enforces it)",
            digest(&answer.policy_digest)
        );
    }
    format!(
        "permissions {} (as compiled from the objects)",
        digest(&answer.permissions_digest)
    )
}

fn verdict(answer: &Answer) -> String {
    match answer.verdict {
        Verdict::Allow => format!(
            "{} by {}",
            paint::with(paint::GOOD, "ALLOWED"),
            printable(&answer.grant)
        ),
        Verdict::NeedsApproval => format!(
            "{} by {}: a person must agree first",
            paint::with(paint::WARN, "NEEDS APPROVAL"),
            printable(&answer.grant)
        ),
        Verdict::Deny => {
            format!(
                "{} {}: {}",
                paint::with(paint::BAD, "DENIED"),
                answer.reason,
                printable(&answer.message)
            )
        }
    }
}

fn call(answer: &Answer) -> String {
    let arguments = answer.arguments_text.replace('\n', "\\n");
    format!(
        "{} {}",
        paint::with(paint::STRONG, printable(&answer.tool)),
        printable(&arguments)
    )
}

fn branches(answer: &Answer) -> Vec<Tree> {
    let mut branches = Vec::new();
    if !answer.canonical_arguments.is_null() && answer.canonical_arguments != answer.arguments {
        branches.push(Tree::leaf(format!(
            "executed as {}",
            printable(&answer.canonical_arguments.to_string())
        )));
    }
    if let Some(fault) = answer
        .trace
        .fault
        .as_ref()
        .filter(|fault| **fault != answer.message)
    {
        branches.push(Tree::leaf(format!(
            "{} {}",
            paint::with(paint::BAD, "✗"),
            printable(fault)
        )));
    }
    if let Some(binding) = &answer.trace.binding {
        let grants = answer.trace.grants.iter().map(|trace| grant(answer, trace));
        branches.push(Tree::leaf(format!("binding {}", printable(binding))).with(grants));
    }
    branches.extend(answer.trace.budgets.iter().map(budget));
    let advice = |title: &str, hindered: bool| {
        let ways = answer
            .required
            .iter()
            .filter(|way| way.hindrance.is_some() == hindered);
        let ways: Vec<Tree> = ways
            .map(|way| Tree::leaf(printable(&way.describe()).into_owned()))
            .collect();
        (!ways.is_empty()).then(|| Tree::leaf(paint::with(paint::STRONG, title)).with(ways))
    };
    branches.extend(advice("would be permitted by", false));
    branches.extend(advice("would not be permitted even by", true));
    branches
}

fn budget(trace: &BudgetTrace) -> Tree {
    let name = format!(
        "budget {} of the {}",
        printable(&trace.budget),
        trace.of.to_lowercase()
    );
    let said = match (&trace.stopped_by, trace.used) {
        (Some(stopped_by), _) => paint::with(paint::BAD, format!("stopped: {}", printable(stopped_by))),
        (None, used) => {
            let used = used.unwrap_or_default();
            paint::with(paint::GOOD, format!("has room: {used} of {} calls", trace.limit))
        }
    };
    Tree::leaf(format!("{name}: {said}"))
}

fn grant(answer: &Answer, trace: &GrantTrace) -> Tree {
    let name = format!("grant {}", printable(&trace.grant));
    if !trace.covers_tool {
        return Tree::leaf(paint::with(
            paint::DIM,
            format!("{name}: does not cover this tool"),
        ));
    }
    let said = match (&trace.stopped_by, trace.permits) {
        (_, true) => paint::with(paint::GOOD, "permits"),
        (Some(stopped_by), false) => paint::with(paint::BAD, format!("stopped: {}", printable(stopped_by))),
        (None, false) => paint::with(paint::BAD, "does not permit"),
    };
    Tree::leaf(format!("{name}: {said}")).with(
        trace
            .dimensions
            .iter()
            .map(|dimension| Tree::leaf(line(answer, trace, dimension))),
    )
}

fn line(answer: &Answer, grant: &GrantTrace, trace: &DimensionTrace) -> String {
    let value = shown(&trace.value);
    let name = printable(&trace.dimension);
    if let Some(pattern) = &trace.matched {
        let good = paint::with(paint::GOOD, "✓");
        let pattern = shown(pattern);
        // A rule looks at the whole call.
        return if trace.value.is_null() {
            format!("{good} {name} holds: {pattern}")
        } else {
            format!("{good} {name} {value} matches {pattern}")
        };
    }
    let patterns: Vec<String> = trace.failed.iter().map(shown).collect();
    match (patterns.as_slice(), &trace.value) {
        ([], _) if grant.permits || answer.optional.contains(&trace.dimension) => {
            paint::with(paint::DIM, format!("· {name} {value} is not restricted"))
        }
        ([], _) => format!(
            "{} {name} {value}: the grant does not mention {name}",
            paint::with(paint::BAD, "✗")
        ),
        (_, Value::Null) => {
            let why = match &answer.ruled {
                None => "the call gives no value, or no rule holds",
                Some(ruled) if ruled.contains(&trace.dimension) => "no rule holds",
                Some(_) => "the call gives no value, and the grant restricts it to",
            };
            let bad = paint::with(paint::BAD, "✗");
            format!("{bad} {name}: {why}: {}", patterns.join(", "))
        }
        _ => format!(
            "{} {name} {value} matches none of {}",
            paint::with(paint::BAD, "✗"),
            patterns.join(", ")
        ),
    }
}

fn shown(value: &Value) -> String {
    printable(&value.to_string()).into_owned()
}
