//! Errors for people.

use std::io::Write as _;

use anstream::AutoStream;
use miette::{GraphicalReportHandler, GraphicalTheme, Report};

/// Wide enough for a sentence, narrow enough for a log.
const WIDTH: usize = 110;

/// A report as text with colours; the writer removes them where none are wanted.
pub(crate) fn render(report: &Report) -> String {
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode())
        .with_width(WIDTH)
        .with_links(false)
        .with_context_lines(1);
    match handler.render_report(&mut text, report.as_ref()) {
        Ok(()) => text,
        Err(_) => format!("error: {report}\n"),
    }
}

/// Writes a report to the standard error. Nothing can be done where that fails.
pub(crate) fn report(report: &Report) {
    let mut out = AutoStream::auto(std::io::stderr());
    let _ = out.write_all(render(report).as_bytes());
    let _ = out.flush();
}
