//! What the benchmark's tasks do.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The calls that carry out one task, as the benchmark's ground truth has them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// Which suite of tasks it is in.
    pub suite: String,
    /// Who wants it done.
    pub kind: Kind,
    /// Its name in the suite.
    pub id: String,
    /// In their order.
    pub calls: Vec<TracedCall>,
}

/// Who wants a task done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The user of the bot.
    User,
    /// Whoever wrote what the bot reads: an attack of the benchmark.
    Injection,
    /// The same, as an attacker would ask who knows the policy: an attack of ours.
    Variant,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracedCall {
    /// The tool.
    pub function: String,
    /// Its arguments.
    pub args: Map<String, Value>,
}

/// Reads a file with one trace a line.
pub fn read(path: &Path) -> Result<Vec<Trace>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    text.lines()
        .enumerate()
        .map(|(place, line)| {
            serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), place + 1))
        })
        .collect()
}
