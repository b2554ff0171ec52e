//! What a pattern is like: universal, and what it is likely to match.

use monstrum_guardian::source::{Dimension, Match};
use serde_json::Value;

/// Words that no honest pattern holds, to stand for what a star matches.
const FILLERS: [&str; 3] = ["q7zk", "w-3v", "x"];

/// Whether a pattern restricts nothing, or next to nothing.
pub(crate) fn is_universal(dimension: &Dimension, pattern: &Value) -> bool {
    let Value::String(text) = pattern else {
        return false;
    };
    match &dimension.matching {
        Match::Glob { separator: None } => matches!(text.as_str(), "*" | "**"),
        Match::Host {} => text == "**",
        Match::Glob { .. } | Match::Path {} => matches!(text.as_str(), "**" | "/**" | "**/**"),
        Match::Command {} => text
            .split_whitespace()
            .all(|word| matches!(word, "*" | "**" | "--*")),
        Match::Regex {} => matches!(text.as_str(), ".*" | "^.*$" | "(?s).*" | "^.*" | ".*$" | ".+"),
        Match::Cel {} => text.trim() == "true",
        Match::Range { .. } => text.trim() == "..",
        Match::Url {} => text.contains("://*") || text.contains("://**"),
        Match::Exact {} | Match::Enum { .. } => false,
    }
}

/// Values that a pattern is likely to match, most telling first. None for expressions.
pub(crate) fn samples(dimension: &Dimension, pattern: &Value) -> Vec<Value> {
    match (&dimension.matching, pattern) {
        (Match::Exact {} | Match::Enum { .. }, value) | (_, value @ (Value::Number(_) | Value::Bool(_))) => {
            vec![value.clone()]
        }
        (Match::Range { .. }, Value::String(text)) => bounds(text),
        (Match::Range { .. }, Value::Object(bounds)) => ["min", "max"]
            .iter()
            .filter_map(|bound| bounds.get(*bound).cloned())
            .collect(),
        (Match::Host {}, Value::String(text)) => filled(text.split('/').next().unwrap_or(text)),
        (Match::Command {}, Value::String(text)) => vec![command(text)],
        (Match::Regex {} | Match::Cel {}, _) | (_, Value::Null | Value::Array(_) | Value::Object(_)) => {
            Vec::new()
        }
        (Match::Glob { .. } | Match::Path {} | Match::Url {}, Value::String(text)) => filled(text),
    }
}

/// A number is a number, `5m` a text.
fn bounds(text: &str) -> Vec<Value> {
    let value = |text: &str| {
        serde_json::from_str::<serde_json::Number>(text).map_or_else(|_| text.into(), Value::Number)
    };
    text.split("..")
        .map(str::trim)
        .filter(|bound| !bound.is_empty())
        .map(value)
        .collect()
}

fn filled(text: &str) -> Vec<Value> {
    if !text.contains('*') {
        return vec![text.into()];
    }
    FILLERS
        .iter()
        .map(|filler| text.replace("**", filler).replace('*', filler).into())
        .collect()
}

/// Words that may be absent are left out.
fn command(text: &str) -> Value {
    let words = text
        .split_whitespace()
        .filter(|word| !matches!(*word, "**" | "--*"));
    words
        .map(|word| if word == "*" { "x" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
        .into()
}
