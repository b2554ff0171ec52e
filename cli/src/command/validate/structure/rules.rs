//! The rules of the definitions, `x-kubernetes-validations`, evaluated as the API server evaluates them for an object that is new.
//!
//! They are our own expressions over objects that their schema has taken, and so bounded by it.

use std::collections::HashMap;

use cel::Context;
use cel::objects::Value as CelValue;
use cel::parser::PrattParser;
use serde_json::{Value, json};

use super::{Fault, part, pointer};

/// The rules that an object breaks. The body is what the schema was asked about; rules see type and name as well.
pub(super) fn faults(object: &Value, body: &Value, schema: &Value) -> Vec<Fault> {
    let mut root = body.clone();
    if let Some(fields) = root.as_object_mut() {
        for key in ["apiVersion", "kind"] {
            fields.insert(key.to_owned(), object.get(key).cloned().unwrap_or_default());
        }
        let name = object.get("metadata").and_then(|metadata| metadata.get("name"));
        fields.insert("metadata".to_owned(), json!({ "name": name }));
    }
    let mut faults = Vec::new();
    within(&root, schema, "", &mut faults);
    faults
}

fn within(value: &Value, schema: &Value, at: &str, faults: &mut Vec<Fault>) {
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
    for rule in rules.into_iter().flatten() {
        let text = |key: &str| rule.get(key).and_then(Value::as_str).unwrap_or_default();
        // What compares with an older object says nothing of a new one.
        if text("rule").contains("oldSelf") || holds(text("rule"), value, schema) {
            continue;
        }
        // Of the root's rules most are about the name, which has a place of its own.
        let is_about_name = at.is_empty()
            && text("rule")
                .trim_start_matches('!')
                .starts_with("self.metadata.name");
        let at = if is_about_name { "/metadata/name" } else { at };
        faults.push(Fault {
            pointer: at.to_owned(),
            message: text("message").to_owned(),
            reason: "Rule",
        });
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(schema) = part(schema, name) {
                    within(value, schema, &pointer::join(at, name), faults);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (place, item) in items.iter().enumerate() {
                    within(item, schema, &format!("{at}/{place}"), faults);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What can't be evaluated does not hold.
fn holds(rule: &str, value: &Value, schema: &Value) -> bool {
    let Ok(expression) = PrattParser::new().parse(rule) else {
        return false;
    };
    let mut context = Context::default();
    context.add_variable_from_value("self", converted(value, Some(schema)));
    matches!(context.resolve(&expression), Ok(CelValue::Bool(true)))
}

/// A value as rules see it. Times are numbers here: they are only compared.
fn converted(value: &Value, schema: Option<&Value>) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(flag) => CelValue::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => CelValue::Int(integer),
            None => CelValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => match instant(text, schema) {
            Some(instant) => CelValue::Int(instant),
            None => text.as_str().into(),
        },
        Value::Array(items) => {
            let schema = schema.and_then(|schema| schema.get("items"));
            let items: Vec<CelValue> = items.iter().map(|item| converted(item, schema)).collect();
            items.into()
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                let schema = schema.and_then(|schema| part(schema, name));
                (name.clone(), converted(value, schema))
            };
            fields.iter().map(field).collect::<HashMap<_, _>>().into()
        }
    }
}

/// In microseconds.
fn instant(text: &str, schema: Option<&Value>) -> Option<i64> {
    let is_time = schema?.get("format")?.as_str()? == "date-time";
    let time: jiff::Timestamp = is_time.then(|| text.parse().ok()).flatten()?;
    Some(time.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every rule of `schema`.
    fn rules(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(fields) => {
                let own = fields.get("x-kubernetes-validations").and_then(Value::as_array);
                let own = own.into_iter().flatten();
                found.extend(own.filter_map(|rule| rule["rule"].as_str()).map(str::to_owned));
                fields.values().for_each(|field| rules(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| rules(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_rule_can_be_read() {
        let mut found = Vec::new();
        for definition in monstrum_crds::definition::all() {
            rules(&definition, &mut found);
        }
        assert!(found.len() > 15, "{found:?}");
        for rule in found {
            assert!(PrattParser::new().parse(&rule).is_ok(), "{rule}");
        }
    }
}
