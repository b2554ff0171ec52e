//! Test results as `JUnit` XML, for continuous integration.

use super::outcome::{Mismatch, Outcome, Report};
use crate::output::Page;

/// One suite for each file.
pub(super) fn render(report: &Report) -> String {
    let all = report.passed.saturating_add(report.failed);
    let mut out = Page::default();
    out.line("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    out.line(format!(
        "<testsuites name=\"monstrum policy test\" tests=\"{all}\" failures=\"{}\">",
        report.failed
    ));
    for suite in &report.files {
        let failed = suite.tests.iter().filter(|test| !test.passed()).count();
        let (name, tests) = (escaped(&suite.file), suite.tests.len());
        out.line(format!(
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\">"
        ));
        for test in &suite.tests {
            case(&name, test, &mut out);
        }
        out.line("  </testsuite>");
    }
    out.line("</testsuites>");
    out.to_string()
}

fn case(file: &str, test: &Outcome, out: &mut Page) {
    let (name, line) = (escaped(&test.name), test.line);
    let head = format!("    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{line}\"");
    if test.passed() {
        out.line(format!("{head}/>"));
        return;
    }
    let mismatches: Vec<String> = test.mismatches.iter().map(said).collect();
    let first = mismatches.first().map(|first| escaped(first)).unwrap_or_default();
    let whole = format!(
        "{}\n{}",
        mismatches.join("\n"),
        anstream::adapter::strip_str(&test.trace)
    );
    out.line(format!("{head}>"));
    out.line(format!(
        "      <failure message=\"{first}\">{}</failure>",
        escaped(&whole)
    ));
    out.line("    </testcase>");
}

fn said(mismatch: &Mismatch) -> String {
    format!(
        "{}: expected {}, found {}",
        mismatch.what, mismatch.expected, mismatch.found
    )
}

/// Text for an attribute or an element. What XML cannot hold at all is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            escaped("<a b=\"&\">\u{1b}\0"),
            "&lt;a b=&quot;&amp;&quot;&gt;\u{fffd}\u{fffd}"
        );
    }
}
