//! A turn as `monstrum chat -o json` told it.

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Everything that happened in a turn.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// The events, in order.
    pub events: Vec<Value>,
    /// What went to standard error.
    pub errors: String,
    /// The command's exit code.
    pub code: Option<i32>,
}

/// One decision about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Which call.
    pub call_id: String,
    /// Whether it went ahead.
    pub allowed: bool,
    /// The reason code of a denial.
    pub reason: String,
}

impl Turn {
    /// Reads the command's output.
    pub fn read(output: &std::process::Output) -> Result<Self> {
        let text = String::from_utf8_lossy(&output.stdout);
        let events = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(serde_json::from_str);
        Ok(Self {
            events: events
                .collect::<Result<_, _>>()
                .with_context(|| format!("not JSON lines:\n{text}"))?,
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        })
    }

    fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> + 'a {
        self.events.iter().filter(move |event| event["event"] == kind)
    }

    /// The final answer; empty when the turn failed.
    pub fn answer(&self) -> &str {
        self.of("done")
            .next()
            .and_then(|done| done["text"].as_str())
            .unwrap_or_default()
    }

    /// Why the turn failed, if it did: code and sentence.
    pub fn failure(&self) -> Option<(String, String)> {
        let failed = self.of("failed").next()?;
        Some((text(&failed["code"]), text(&failed["message"])))
    }

    /// The decisions, in order.
    pub fn decisions(&self) -> Vec<Decided> {
        let decisions = self.of("decision").map(|decision| Decided {
            call_id: text(&decision["callId"]),
            allowed: decision["allowed"].as_bool().unwrap_or_default(),
            reason: text(&decision["reason"]),
        });
        decisions.collect()
    }

    /// What the tools returned, in order, as the model was told.
    pub fn results(&self) -> Vec<String> {
        self.of("result").map(|result| text(&result["content"])).collect()
    }

    /// The session it belonged to.
    pub fn session(&self) -> String {
        self.of("started")
            .next()
            .map(|started| text(&started["session"]))
            .unwrap_or_default()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
