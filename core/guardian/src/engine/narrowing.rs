//! Narrowed parameter schemas: the model sees only what it may say.
//!
//! Narrowing is for the model; the check does not look at it. It never widens: a schema is only ever given conditions that
//! every permitted call meets.

use serde_json::{Map, Value, json};

use super::binding::{LoadedBinding, LoadedTool};
use crate::document::Binding;
use crate::matching::Pattern;
use crate::parameters;
use crate::source::Tool;

/// No schema is made longer than by so many alternatives.
const MAX_ALTERNATIVES: usize = 64;

/// What every permitted value of a parameter fulfils.
#[derive(Debug, PartialEq)]
enum Condition {
    OneOf(Vec<Value>),
    Matches(String),
}

/// The tool's closed schema with a condition on each parameter that every grant restricts in a way that a schema can say.
pub(super) fn narrowed(binding: &Binding, loaded: &LoadedBinding, entry: &LoadedTool, tool: &Tool) -> Value {
    let mut schema = parameters::closed(&tool.parameters);
    for feed in &entry.feeds {
        let alone = entry
            .feeds
            .iter()
            .filter(|other| other.dimension == feed.dimension)
            .count()
            == 1;
        let Some(pointer) = feed.pointer().filter(|_| alone) else {
            continue;
        };
        let grants: Vec<_> = entry.covering.iter().collect();
        let mentioned = binding.dimensions.get(feed.dimension).is_some_and(|dimension| {
            let mentions = |grant: &usize| {
                binding
                    .grants
                    .get(*grant)
                    .is_some_and(|g| g.scope.contains_key(&dimension.name))
            };
            !grants.is_empty() && grants.iter().all(mentions)
        });
        let Some(dimension) = loaded.dimensions.get(feed.dimension).filter(|_| mentioned) else {
            continue;
        };
        let patterns: Vec<_> = grants
            .iter()
            .flat_map(|grant| dimension.patterns_of(*grant))
            .collect();
        if let (Some(condition), Some(parameter)) =
            (condition(&patterns), parameter_mut(&mut schema, pointer))
        {
            apply(parameter, condition);
        }
    }
    schema
}

fn condition(patterns: &[&Pattern]) -> Option<Condition> {
    let literals: Option<Vec<_>> = patterns.iter().map(|pattern| pattern.only_value()).collect();
    if let Some(mut values) = literals {
        values.sort_by_key(Value::to_string);
        values.dedup();
        return (values.len() <= MAX_ALTERNATIVES).then_some(Condition::OneOf(values));
    }
    let mut expressions = patterns
        .iter()
        .map(|pattern| pattern.schema_pattern())
        .collect::<Option<Vec<_>>>()?;
    expressions.sort();
    expressions.dedup();
    (expressions.len() <= MAX_ALTERNATIVES).then(|| Condition::Matches(expressions.join("|")))
}

/// The plain schema of the parameter, or of its elements.
fn parameter_mut<'a>(schema: &'a mut Value, pointer: &str) -> Option<&'a mut Map<String, Value>> {
    let mut schema = schema;
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        schema = schema.get_mut("properties")?.get_mut(&name)?;
    }
    if schema.get("type").and_then(Value::as_str) == Some("array") {
        schema = schema.get_mut("items")?;
    }
    let composed = ["$ref", "allOf", "anyOf", "oneOf", "const", "if", "not"];
    schema
        .as_object_mut()
        .filter(|map| !composed.iter().any(|keyword| map.contains_key(*keyword)))
}

fn apply(parameter: &mut Map<String, Value>, condition: Condition) {
    match condition {
        Condition::OneOf(mut values) => {
            if let Some(Value::Array(declared)) = parameter.get("enum") {
                values.retain(|value| declared.contains(value));
            }
            match values.as_slice() {
                // Nothing that is declared is permitted: the schema cannot say so without being refused by providers.
                [] => {}
                [only] => {
                    parameter.remove("enum");
                    parameter.insert("const".to_owned(), only.clone());
                }
                _ => {
                    parameter.insert("enum".to_owned(), Value::Array(values));
                }
            }
        }
        Condition::Matches(expression) => {
            if !parameter.contains_key("pattern") && !parameter.contains_key("enum") {
                parameter.insert("pattern".to_owned(), json!(expression));
            }
        }
    }
}
