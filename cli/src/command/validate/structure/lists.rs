//! Items of lists that must differ: in their keys, or as a whole.

use serde_json::Value;

use super::{Fault, part, pointer};

/// The items that say again what another item of their list says already.
pub(super) fn faults(value: &Value, schema: &Value, at: &str, faults: &mut Vec<Fault>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(schema) = part(schema, name) {
                    self::faults(value, schema, &pointer::join(at, name), faults);
                }
            }
        }
        Value::Array(items) => {
            repeated(items, schema, at, faults);
            if let Some(schema) = schema.get("items") {
                for (place, item) in items.iter().enumerate() {
                    self::faults(item, schema, &format!("{at}/{place}"), faults);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn repeated(items: &[Value], schema: &Value, at: &str, faults: &mut Vec<Fault>) {
    let keys: Vec<&str> = match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
        Some("set") => Vec::new(),
        Some("map") => schema
            .get("x-kubernetes-list-map-keys")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect(),
        _ => return,
    };
    let identity = |item: &Value| -> Vec<Option<Value>> {
        match keys.as_slice() {
            [] => vec![Some(item.clone())],
            keys => keys.iter().map(|key| item.get(*key).cloned()).collect(),
        }
    };
    for (place, item) in items.iter().enumerate() {
        let own = identity(item);
        // What lacks its keys is another fault.
        if own.iter().all(Option::is_some) && items.iter().take(place).any(|other| identity(other) == own) {
            let said: Vec<String> = own.iter().flatten().map(Value::to_string).collect();
            let key = keys.first().map_or_else(String::new, |key| format!("/{key}"));
            faults.push(Fault::schema(
                format!("{at}/{place}{key}"),
                format!(
                    "{} is in the list already: remove it or rename one",
                    said.join(", ")
                ),
            ));
        }
    }
}
