//! JSON Schemas that somebody else wrote: of a tool's parameters, of a resource's settings. Local, bounded, in linear time.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::expression::{self, Allowance, MAX_COMPILED};
use crate::fault::FieldFault;
use crate::parameters;

/// How many expressions one schema may have.
const MAX_EXPRESSIONS: usize = 128;

/// A compiled schema of one object.
#[derive(Debug)]
pub struct Schema(Validator);

/// What is wrong with a value, without the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Where, as a JSON Pointer.
    pub pointer: String,
    /// What.
    pub message: String,
}

impl Schema {
    /// Compiles a schema as its author wrote it, for what is left of its object's allowance. The fields of faults are relative to it.
    pub fn compile(schema: &Value, allowance: &mut Allowance) -> Result<Self, Vec<FieldFault>> {
        let faults = parameters::form_faults(schema);
        if !faults.is_empty() {
            return Err(faults);
        }
        build(schema, allowance)
            .map(Self)
            .map_err(|message| vec![FieldFault::new("", message)])
    }

    /// Everything that is wrong with a value; it ends where nobody asks for more.
    pub fn complaints<'a>(&'a self, value: &'a Value) -> impl Iterator<Item = Complaint> + 'a {
        self.0.iter_errors(value).map(|error| Complaint {
            pointer: error.instance_path().as_str().to_owned(),
            message: error.masked().to_string(),
        })
    }
}

/// Compiles a schema whose form was looked at.
pub(crate) fn build(schema: &Value, allowance: &mut Allowance) -> Result<Validator, String> {
    allowance.schema(schema.to_string().len())?;
    let mut expressions = Vec::new();
    collect(schema, &mut expressions);
    if expressions.len() > MAX_EXPRESSIONS {
        return Err(format!(
            "the schema has more than {MAX_EXPRESSIONS} expressions; use fewer"
        ));
    }
    for pattern in expressions {
        // What can't be translated, the validator refuses in its own words.
        if let Ok(translated) = expression::translated(pattern) {
            allowance
                .expression(&translated)
                .map_err(|problem| format!("pattern {:?}: {problem}", shortened(pattern)))?;
        }
    }
    let mut schema = schema.clone();
    translate(&mut schema);
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_pattern_options(
            PatternOptions::regex()
                .size_limit(MAX_COMPILED)
                .dfa_size_limit(MAX_COMPILED),
        )
        .offline()
        .build(&schema)
        .map_err(|error| error.to_string())
}

/// Every text that may be compiled. A value that only looks like a `pattern` counts too, which makes nothing worse.
fn collect<'a>(part: &'a Value, found: &mut Vec<&'a str>) {
    match part {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("pattern", Value::String(pattern)) => found.push(pattern),
                    ("patternProperties", Value::Object(properties)) => {
                        found.extend(properties.keys().map(String::as_str));
                        collect(value, found);
                    }
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Puts the expressions of a schema into words that its validator and the dimensions understand alike.
fn translate(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            for (keyword, value) in keywords.iter_mut() {
                translate_keyword(keyword, value);
            }
        }
        Value::Array(parts) => parts.iter_mut().for_each(translate),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn translate_keyword(keyword: &str, value: &mut Value) {
    match (keyword, value) {
        // Values, not schemas.
        ("const" | "enum" | "default" | "examples" | "required", _) => {}
        ("pattern", Value::String(pattern)) => {
            if let Some(other) = reworded(pattern) {
                *pattern = other;
            }
        }
        ("patternProperties", Value::Object(parts)) => {
            parts.values_mut().for_each(translate);
            let names: Vec<String> = parts.keys().cloned().collect();
            for name in names {
                // Two that mean the same and are written differently both stay.
                let other = reworded(&name).filter(|other| !parts.contains_key(other));
                if let Some((other, part)) = other.zip(parts.remove(&name)) {
                    parts.insert(other, part);
                }
            }
        }
        ("properties" | "$defs" | "definitions" | "dependentSchemas", Value::Object(parts)) => {
            parts.values_mut().for_each(translate);
        }
        (_, other) => translate(other),
    }
}

/// An expression in other words, where the validator by itself would understand it differently.
fn reworded(pattern: &str) -> Option<String> {
    Some(expression::reworded(pattern)).filter(|reworded| reworded != pattern)
}

fn shortened(pattern: &str) -> String {
    pattern.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn with_patterns(pattern: &str, count: usize) -> Value {
        let properties: serde_json::Map<_, _> = (0..count)
            .map(|number| {
                (
                    format!("p{number}"),
                    json!({"type": "string", "pattern": pattern.replace('N', &number.to_string())}),
                )
            })
            .collect();
        json!({"type": "object", "properties": properties})
    }

    fn faults(schema: &Value) -> Vec<FieldFault> {
        Schema::compile(schema, &mut Allowance::default())
            .err()
            .unwrap_or_default()
    }

    #[rstest]
    #[case::large(with_patterns(r"^\p{L}{200}N$", 20))]
    #[case::as_names(json!({"type": "object", "patternProperties": {r"^\p{L}{200}$": {}}}))]
    #[case::in_a_definition(json!({"type": "object", "$defs": {"a": {"pattern": r"^\p{L}{200}$"}}}))]
    #[case::under_a_property_called_default(
        json!({"type": "object", "properties": {"default": {"type": "string", "pattern": r"^\p{L}{200}$"}}})
    )]
    #[case::many(with_patterns("^aN$", 200))]
    #[case::many_not_so_large(with_patterns(r"^\p{L}{8}N$", 100))]
    #[case::backtracking(json!({"type": "object", "properties": {"a": {"pattern": r"^(a+)+\1$"}}}))]
    #[case::remote(json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/x.json"}}}))]
    #[case::doubling(doubling())]
    fn what_would_grow_is_refused_at_once(#[case] schema: Value) {
        let began = std::time::Instant::now();
        assert_ne!(faults(&schema), []);
        assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
    }

    fn doubling() -> Value {
        let twice = |level: usize| json!({"anyOf": [{"$ref": format!("#/$defs/d{level}")}, {"$ref": format!("#/$defs/d{level}")}]});
        let mut definitions: serde_json::Map<_, _> = (0..24)
            .map(|level: usize| (format!("d{level}"), twice(level.saturating_add(1))))
            .collect();
        definitions.insert("d24".to_owned(), json!({"type": "string"}));
        json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions})
    }

    #[test]
    fn what_validators_of_javascript_write_is_taken() {
        let schema = json!({"type": "object", "properties": {
            "a": {"pattern": r"^[[\]a-z&&]+\/\d+$"},
            "pattern": {"type": "string", "default": "("}
        }});
        assert_eq!(faults(&schema), []);
    }

    #[test]
    fn the_schemas_of_one_object_share_an_allowance() {
        let mut allowance = Allowance::default();
        let schema = with_patterns("^aN$", 100);
        let taken = (0..20)
            .take_while(|_| Schema::compile(&schema, &mut allowance).is_ok())
            .count();
        assert_eq!(taken, 5);
    }

    #[test]
    fn complaints_hold_no_value() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
        let schema = Schema::compile(&schema, &mut Allowance::default()).unwrap();
        let value = json!({"a": "hunter2"});
        let complaints: Vec<_> = schema.complaints(&value).collect();
        assert_eq!(complaints[0].pointer, "/a");
        assert!(!complaints[0].message.contains("hunter2"), "{complaints:?}");
    }
}
