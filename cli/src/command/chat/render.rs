//! A turn for people.

use std::io::{self, Write as _};

use monstrum_guardian::excerpt;

use super::event::{Event, Usage};
use crate::output::{Screen, paint, printable};

/// How much of arguments and results is shown.
const MAX_SHOWN: usize = 100;

/// Writes the answer to the screen, and what leads to it to the standard error.
pub(super) struct Renderer<'a> {
    screen: &'a mut Screen,
    quiet: bool,
    /// Whether the answer's last character ended a line.
    at_line_start: bool,
    /// Whether any of the answer was streamed.
    streamed: bool,
}

impl<'a> Renderer<'a> {
    pub(super) fn new(screen: &'a mut Screen, quiet: bool) -> Self {
        Self {
            screen,
            quiet,
            at_line_start: true,
            streamed: false,
        }
    }

    pub(super) fn show(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started { .. } => Ok(()),
            Event::Text { text } => self.answer(text),
            Event::Done { text, stop, usage } => self.done(text, stop, usage),
            Event::Failed { code, message } => {
                self.finish_line()?;
                note(&failed(code, message));
                Ok(())
            }
            Event::Queued { .. } | Event::Call { .. } | Event::Decision { .. } | Event::Result { .. } => {
                if let Some(line) = activity(event).filter(|_| !self.quiet) {
                    self.finish_line()?;
                    note(&line);
                }
                Ok(())
            }
        }
    }

    fn answer(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.streamed = true;
        self.at_line_start = text.ends_with('\n');
        self.screen.text(&printable(text))?;
        self.screen.flush()
    }

    fn done(&mut self, text: &str, stop: &str, usage: &Usage) -> io::Result<()> {
        if !self.streamed {
            self.answer(text)?;
        }
        self.finish_line()?;
        if !self.quiet {
            note(&summary(stop, usage));
        }
        Ok(())
    }

    /// A note must not continue a line of the answer.
    pub(super) fn finish_line(&mut self) -> io::Result<()> {
        if !self.at_line_start {
            self.at_line_start = true;
            self.screen.text("\n")?;
        }
        self.screen.flush()
    }
}

/// To the standard error; that it cannot be written to is no reason to stop.
pub(super) fn note(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

fn activity(event: &Event) -> Option<String> {
    Some(match event {
        Event::Queued { ahead } => paint::with(
            paint::DIM,
            format!("waiting behind {ahead} messages of this session"),
        ),
        Event::Call { tool, arguments, .. } => {
            format!(
                "{} {}",
                paint::with(paint::STRONG, format!("→ {}", printable(tool))),
                short(&arguments.to_string())
            )
        }
        Event::Decision {
            allowed: true, grant, ..
        } => {
            format!(
                "  {} by {}",
                paint::with(paint::GOOD, "✓ allowed"),
                printable(grant)
            )
        }
        Event::Decision { reason, message, .. } => {
            format!(
                "  {} {}: {}",
                paint::with(paint::BAD, "✗ refused"),
                printable(reason),
                printable(message)
            )
        }
        Event::Result {
            ok: true,
            content,
            truncated,
            ..
        } => {
            let cut = if *truncated { ", cut" } else { "" };
            paint::with(
                paint::DIM,
                format!("  ← {} bytes{cut}: {}", content.len(), short(content)),
            )
        }
        Event::Result { content, .. } => {
            format!("  {} {}", paint::with(paint::WARN, "← error:"), short(content))
        }
        Event::Started { .. } | Event::Text { .. } | Event::Done { .. } | Event::Failed { .. } => {
            return None;
        }
    })
}

fn failed(code: &str, message: &str) -> String {
    format!(
        "{} {}: {}",
        paint::with(paint::BAD, "✗ the turn failed:"),
        printable(code),
        printable(message)
    )
}

fn summary(stop: &str, usage: &Usage) -> String {
    let mut parts = Vec::new();
    if stop != "completed" && !stop.is_empty() {
        parts.push(format!("stopped: {}", printable(stop)));
    }
    let requests = if usage.model_requests == 1 {
        "request"
    } else {
        "requests"
    };
    parts.push(format!("{} model {requests}", usage.model_requests));
    parts.push(format!(
        "{} tokens in ({} cached)",
        usage.input_tokens, usage.cached_input_tokens
    ));
    parts.push(format!("{} out", usage.output_tokens));
    if usage.cost_micro_usd > 0 {
        parts.push(format!("${}", dollars(usage.cost_micro_usd)));
    }
    paint::with(paint::DIM, parts.join(" · "))
}

/// Millionths of a dollar, to four places.
fn dollars(micro: u64) -> String {
    let hundred_millionths = micro.div_ceil(100);
    format!(
        "{}.{:04}",
        hundred_millionths / 10_000,
        hundred_millionths % 10_000
    )
}

fn short(text: &str) -> String {
    let line = text.replace(['\n', '\r', '\t'], " ");
    printable(&excerpt(&line, MAX_SHOWN)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(event: &Event) -> String {
        anstream::adapter::strip_str(&activity(event).unwrap()).to_string()
    }

    #[test]
    fn a_call_its_decision_and_its_result_are_a_line_each() {
        let call = Event::Call {
            call_id: "1".to_owned(),
            tool: "github_list_issues".to_owned(),
            arguments: serde_json::json!({"owner": "acme"}),
        };
        let denied = Event::Decision {
            call_id: "1".to_owned(),
            allowed: false,
            reason: "OutOfScope".to_owned(),
            message: "no grant covers repository acme/secret".to_owned(),
            grant: String::new(),
        };
        let result = Event::Result {
            call_id: "1".to_owned(),
            ok: true,
            content: "two\nissues\u{1b}[0m".to_owned(),
            truncated: true,
        };
        assert_eq!(plain(&call), "→ github_list_issues {\"owner\":\"acme\"}");
        assert_eq!(
            plain(&denied),
            "  ✗ refused OutOfScope: no grant covers repository acme/secret"
        );
        assert_eq!(plain(&result), "  ← 14 bytes, cut: two issues\\u{1b}[0m");
    }

    #[test]
    fn money_is_rounded_up() {
        assert_eq!(dollars(1), "0.0001");
        assert_eq!(dollars(1_234_567), "1.2346");
    }
}
