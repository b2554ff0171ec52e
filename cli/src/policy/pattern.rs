//! What a pattern is like: literal, universal, and what it matches. The engine itself is asked.

use std::collections::BTreeMap;

use monstrum_guardian::Engine;
use monstrum_guardian::decision::{Call, Facts, Verdict};
use monstrum_guardian::document::{Binding, Document};
use monstrum_guardian::source::{
    BotName, Dimension, Executor, Feed, FeedFrom, Grant, Match, Risk, RunnerRef, Tool,
};
use serde_json::{Value, json};

/// Words that no honest pattern holds, to stand for what a star matches.
const FILLERS: [&str; 3] = ["q7zk", "w-3v", "x"];

/// Whether `pattern` of this dimension matches `value`. False where either is none.
pub(crate) fn matches(dimension: &Dimension, pattern: &Value, value: &Value) -> bool {
    let document = probe(dimension, pattern);
    let Ok(engine) = Engine::load(&document) else {
        return false;
    };
    let arguments = json!({ "v": value }).to_string();
    let decision = engine.check(
        &Call {
            tool: "probe",
            arguments: &arguments,
        },
        &Facts::default(),
    );
    matches!(decision.verdict, Verdict::Allow(_))
}

/// A policy of one tool, one dimension and one pattern.
fn probe(dimension: &Dimension, pattern: &Value) -> Document {
    let tool = Tool {
        name: "probe".to_owned(),
        description: "probe".to_owned(),
        operation: "probe".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {"v": {"type": ["string", "number", "boolean"]}},
            "required": ["v"]
        }),
        scope: vec![Feed {
            dimension: dimension.name.clone(),
            from: FeedFrom::Pointer("/v".to_owned()),
        }],
        risk: Risk::Low,
        idempotent: false,
        execution: Value::Null,
    };
    let grant = Grant {
        origin: "binding/probe#0".to_owned(),
        operations: vec!["*".to_owned()],
        scope: BTreeMap::from([(dimension.name.clone(), vec![pattern.clone()])]),
        ..Grant::default()
    };
    let binding = Binding {
        name: "probe".to_owned(),
        prefix: None,
        resource: "probe".to_owned(),
        description: None,
        resource_type: "probe".to_owned(),
        executor: Executor::Http,
        config: json!({}),
        credential: None,
        runner: RunnerRef::Bot,
        dimensions: vec![dimension.clone()],
        tools: vec![tool],
        grants: vec![grant],
    };
    let bot = BotName {
        namespace: "probe".to_owned(),
        name: "probe".to_owned(),
    };
    Document {
        bindings: vec![binding],
        ..Document::empty(bot)
    }
}

/// Whether a pattern stands for one value, itself.
pub(crate) fn is_literal(dimension: &Dimension, pattern: &Value) -> bool {
    match (&dimension.matching, pattern) {
        (Match::Exact {} | Match::Enum { .. }, _) | (_, Value::Number(_) | Value::Bool(_)) => true,
        // A URL pattern without a star may still leave the query open.
        (Match::Regex {} | Match::Cel {} | Match::Url {}, _)
        | (_, Value::Null | Value::Array(_) | Value::Object(_)) => false,
        (Match::Range { .. }, Value::String(text)) => !text.contains(".."),
        (Match::Host {}, Value::String(text)) => !text.contains(['*', '/']),
        // `--name word` stands for `--name=word` as well.
        (Match::Command {}, Value::String(text)) => !text.contains(['*', '\\']) && !text.contains(" --"),
        (_, Value::String(text)) => !text.contains(['*', '?', '[', '{', '\\']),
    }
}

/// Whether a pattern restricts nothing, or next to nothing.
pub(crate) fn is_universal(dimension: &Dimension, pattern: &Value) -> bool {
    let Value::String(text) = pattern else {
        return false;
    };
    match &dimension.matching {
        Match::Glob { separator: None } | Match::Host {} => matches!(text.as_str(), "*" | "**"),
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
