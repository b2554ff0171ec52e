//! Parameters that no grant can restrict, since they feed no dimension, and keywords of their schemas that restrict nothing.

use std::collections::BTreeSet;

use monstrum_guardian::source::{FeedFrom, Match, Tool};
use serde_json::{Map, Value};

use super::Subject;
use crate::command::policy::lint::finding::{Finding, Level};
use crate::output::listed;

/// How many parameters are told.
const TOLD: usize = 8;
/// What a schema says for people.
const ANNOTATIONS: [&str; 6] = [
    "title",
    "description",
    "default",
    "example",
    "examples",
    "$comment",
];

/// For each covered tool: a warning for a parameter that is like one that is judged (`bcc` beside `cc`), and a note for the others.
pub(super) fn findings(subject: Subject<'_>) -> Vec<Finding> {
    let rules = rules(subject);
    let mut findings = Vec::new();
    for tool in subject.covered() {
        let ignored = monstrum_guardian::ignored_keywords(&tool.parameters);
        if !ignored.is_empty() {
            let message = format!(
                "the parameters of {} have keywords that are none of JSON Schema's and restrict nothing: {}; put x- before what is for people",
                tool.name,
                listed(&ignored, TOLD)
            );
            findings.push(subject.says(Level::Note, "ignored-keyword", "", message));
        }
        let Some(Value::Object(parameters)) = tool.parameters.get("properties") else {
            continue;
        };
        let fed = fed(tool);
        let free: Vec<&str> = parameters
            .iter()
            .filter(|(name, schema)| {
                !fed.contains(name.as_str()) && !is_bounded(schema) && !is_ruled(&rules, name)
            })
            .map(|(name, _)| name.as_str())
            .collect();
        let (twins, others): (Vec<&str>, Vec<&str>) = free
            .into_iter()
            .partition(|name| twin(parameters, &fed, name).is_some());
        for name in twins {
            let twin = twin(parameters, &fed, name).unwrap_or_default();
            let message = format!(
                "{name} of {} feeds no dimension, so any value of it is permitted, though {twin}, which is of the same form, is judged; feed it",
                tool.name
            );
            findings.push(subject.says(Level::Warning, "unfed-parameter", "", message));
        }
        if !others.is_empty() {
            let message = format!(
                "no grant can restrict {} of {}: any value is permitted, since no dimension is fed by it",
                listed(&others, TOLD),
                tool.name
            );
            findings.push(subject.says(Level::Note, "unfed-parameter", "", message));
        }
    }
    findings
}

/// The names of the parameters that feed something.
fn fed(tool: &Tool) -> BTreeSet<String> {
    let pointers = tool.scope.iter().flat_map(|feed| match &feed.from {
        FeedFrom::Pointer(pointer) => vec![pointer.as_str()],
        FeedFrom::Template(template) => template
            .split('{')
            .skip(1)
            .filter_map(|part| part.split('}').next())
            .collect(),
    });
    let first = |pointer: &str| pointer.split('/').nth(1).unwrap_or_default().to_owned();
    pointers
        .map(|pointer| first(pointer).replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// Whether the schema itself leaves few values.
fn is_bounded(schema: &Value) -> bool {
    let kind = schema.get("type").and_then(Value::as_str);
    let listed = schema.get("enum").is_some() || schema.get("const").is_some();
    listed || matches!(kind, Some("boolean" | "integer" | "number" | "null"))
}

/// The expressions of the grant.
fn rules(subject: Subject<'_>) -> Vec<&str> {
    let dimensions = subject.binding.resource_type.dimensions.iter();
    dimensions
        .filter(|dimension| dimension.matching == Match::Cel {})
        .filter_map(|dimension| subject.grant.scope.get(&dimension.name))
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn is_ruled(rules: &[&str], name: &str) -> bool {
    let spellings = [
        format!("arguments.{name}"),
        format!("arguments['{name}']"),
        format!("arguments[\"{name}\"]"),
        format!("'{name}' in call.arguments"),
    ];
    let named = |rule: &str| spellings.iter().any(|spelling| rule.contains(spelling));
    rules.iter().any(|rule| named(rule))
}

/// A judged parameter of the same form, where that form is telling: a list, or a text of some format.
fn twin<'a>(parameters: &'a Map<String, Value>, fed: &BTreeSet<String>, name: &str) -> Option<&'a str> {
    let own = form(parameters.get(name)?);
    let is_telling = own.get("type").and_then(Value::as_str) == Some("array")
        || own.contains_key("format")
        || own.contains_key("pattern");
    let mut others = parameters
        .iter()
        .filter(|(other, _)| fed.contains(other.as_str()));
    others
        .find(|(_, schema)| is_telling && form(schema) == own)
        .map(|(other, _)| other.as_str())
}

/// A schema without what it says for people and without its bounds on length.
fn form(schema: &Value) -> Map<String, Value> {
    let mut form = schema.as_object().cloned().unwrap_or_default();
    form.retain(|keyword, _| {
        !ANNOTATIONS.contains(&keyword.as_str()) && !keyword.starts_with("min") && !keyword.starts_with("max")
    });
    for value in form.values_mut().filter(|value| value.is_object()) {
        *value = Value::Object(self::form(value));
    }
    form
}
