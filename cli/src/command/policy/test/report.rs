//! Test results for people.

use super::outcome::{Outcome, Report};
use crate::output::{Page, paint, printable};

/// Failing tests with what was expected and found; with `verbose` all of them, and what is not covered.
pub(super) fn render(report: &Report, verbose: bool) -> String {
    let mut out = Page::default();
    for suite in &report.files {
        let failed = suite.tests.iter().any(|test| !test.passed());
        let mark = if failed {
            paint::with(paint::BAD, "✗")
        } else {
            paint::with(paint::GOOD, "✓")
        };
        out.line(format!(
            "{mark} {} ({} {})",
            printable(&suite.file),
            suite.tests.len(),
            if suite.tests.len() == 1 { "test" } else { "tests" }
        ));
        for test in suite.tests.iter().filter(|test| verbose || !test.passed()) {
            outcome(&suite.file, test, &mut out);
        }
    }
    if verbose {
        for gap in report.coverage.gaps() {
            out.line(format!(
                "{} {}",
                paint::with(paint::WARN, "not covered:"),
                printable(&gap)
            ));
        }
    }
    out.line(summary(report));
    out.to_string()
}

fn outcome(file: &str, test: &Outcome, out: &mut Page) {
    let name = printable(&test.name);
    if test.passed() {
        out.line(format!("  {} {name}", paint::with(paint::GOOD, "✓")));
        return;
    }
    let place = paint::with(paint::DIM, format!("{file}:{}", test.line));
    out.line(format!("  {} {name} {place}", paint::with(paint::BAD, "✗")));
    for mismatch in &test.mismatches {
        let expected = format!("- {}: {}", mismatch.what, printable(&mismatch.expected));
        let found = format!("+ {}: {}", mismatch.what, printable(&mismatch.found));
        out.line(format!("      {}", paint::with(paint::GOOD, expected)));
        out.line(format!("      {}", paint::with(paint::BAD, found)));
    }
    for line in test.trace.lines() {
        out.line(format!("      {line}"));
    }
}

fn summary(report: &Report) -> String {
    let (all, covered) = report.coverage.counts();
    let failed = format!("{} failed", report.failed);
    let failed = if report.failed == 0 {
        failed
    } else {
        paint::with(paint::BAD, failed)
    };
    format!(
        "{} passed, {failed}; {covered} of {all} grants and dimensions covered ({} %)",
        report.passed,
        report.coverage.percent()
    )
}
