//! The `CustomResourceDefinition`s that are installed: what the derives give, made plain and bounded.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;
use monstrum_contract::{EXECUTORS, ExecutorContract};
use serde_json::{Map, Value, json};

use crate::conditions::{ConditionType, Holds, Reason};
use crate::kinds::{
    Bot, BotBinding, BotRole, Channel, Credential, ModelProvider, Resource, ResourceType, Workspace,
};
use crate::schema;

/// Every kind's definition as the API server takes it, in the order in which people meet them.
pub fn all() -> Vec<Value> {
    [
        ResourceType::crd(),
        Workspace::crd(),
        ModelProvider::crd(),
        Credential::crd(),
        Resource::crd(),
        Bot::crd(),
        BotRole::crd(),
        BotBinding::crd(),
        Channel::crd(),
    ]
    .into_iter()
    .map(plain)
    .collect()
}

fn plain(definition: CustomResourceDefinition) -> Value {
    // Serialisation of these types is infallible; should that change, the generator's checks see the null.
    let mut value = serde_json::to_value(definition).unwrap_or_default();
    let is_of_executors = value.pointer("/spec/names/kind") == Some(&json!("ResourceType"));
    if let Some(schema) = value.pointer_mut("/spec/versions/0/schema/openAPIV3Schema") {
        tidy(schema);
        if let Some(Value::Object(status)) = schema.pointer_mut("/properties/status") {
            status.insert("default".into(), unobserved());
        }
        if is_of_executors {
            describe_executors(schema);
        }
    }
    value
}

/// Which executors there are, and what their types must have.
fn describe_executors(schema: &mut Value) {
    if let Some(Value::Object(spec)) = schema.pointer_mut("/properties/spec") {
        let rules: Vec<_> = EXECUTORS.all().flat_map(rules).collect();
        spec.insert("x-kubernetes-validations".into(), rules.into());
    }
    if let Some(Value::Object(field)) = schema.pointer_mut("/properties/spec/properties/executor") {
        let there = EXECUTORS
            .all()
            .map(|executor| format!("`{}` ({})", executor.name(), executor.summary()));
        let there = there.collect::<Vec<_>>().join(" or ");
        let description = format!(
            "Who carries the calls out: {there}. The others do not exist yet, and a type that names one is refused."
        );
        field.insert("description".into(), description.into());
    }
}

/// Where a tool has an executor's part, and a credential a presentation.
fn rules(executor: &'static dyn ExecutorContract) -> Vec<Value> {
    let name = executor.name();
    let part = executor.tool_part().map(|part| {
        [
            json!({
                "rule": format!("self.executor != '{name}' || self.tools.all(t, has(t.{name}))"),
                "message": format!("every tool of executor {name} needs its {part}, spec.tools[].{name}"),
            }),
            json!({
                "rule": format!("self.executor == '{name}' || self.tools.all(t, !has(t.{name}))"),
                "message": format!("spec.tools[].{name} is only for executor {name}"),
            }),
        ]
    });
    let presented = executor.presents_credentials().then(|| {
        json!({
            "rule": format!("self.executor != '{name}' || !has(self.credentials) || self.credentials.all(c, has(c.presentation))"),
            "message": format!("every credential method of executor {name} says how it is sent, spec.credentials[].presentation"),
        })
    });
    part.into_iter().flatten().chain(presented).collect()
}

/// The status of an object that the operator has not seen: without it, tools that go by kstatus (Flux, kpt) take the
/// object for finished. It is no generation's, and `kubectl get` shows its reason.
fn unobserved() -> Value {
    json!({
        "observedGeneration": -1,
        "conditions": [{
            "type": ConditionType::Ready.as_str(),
            "status": Holds::Unknown.as_str(),
            "reason": Reason::Pending.as_str(),
            "message": "the operator has not seen this object yet",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }],
    })
}

/// Makes one schema and all below it plain.
fn tidy(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    // The API server then takes null for absent; a null that is kept would be a third state for rules and readers.
    object.remove("nullable");
    // Structural schemas are closed already, and the API server refuses the word.
    if object.get("additionalProperties") == Some(&Value::Bool(false)) {
        object.remove("additionalProperties");
    }
    object.remove("default");
    if let Some(Value::String(description)) = object.get_mut("description") {
        *description = flowing(description);
    }
    if object.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        bound_quantity(object);
    }
    if is_condition(object) {
        bound_condition(object);
    }
    for key in [
        "properties",
        "additionalProperties",
        "items",
        "oneOf",
        "anyOf",
        "allOf",
        "not",
    ] {
        match object.get_mut(key) {
            Some(Value::Object(children)) if key == "properties" => children.values_mut().for_each(tidy),
            Some(Value::Array(children)) => children.iter_mut().for_each(tidy),
            Some(child) => tidy(child),
            None => {}
        }
    }
}

/// A text whose paragraphs are one line each: whoever shows it breaks lines where its own screen ends, and source code ends elsewhere.
fn flowing(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let lines: Vec<_> = paragraph.lines().map(str::trim).collect();
        lines.join(" ")
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// As controller-gen writes a quantity.
fn bound_quantity(object: &mut Map<String, Value>) {
    object.insert(
        "anyOf".into(),
        json!([{ "type": "integer" }, { "type": "string" }]),
    );
    object.insert("maxLength".into(), json!(32));
    object.insert("pattern".into(), json!(schema::QUANTITY));
}

fn is_condition(object: &Map<String, Value>) -> bool {
    object
        .get("properties")
        .and_then(Value::as_object)
        .is_some_and(|properties| properties.contains_key("lastTransitionTime"))
}

/// The bounds that Kubernetes documents for a condition.
fn bound_condition(object: &mut Map<String, Value>) {
    let bounds = [
        ("message", json!({ "maxLength": 32_768 })),
        ("reason", json!({ "minLength": 1, "maxLength": 1_024 })),
        ("status", json!({ "enum": ["True", "False", "Unknown"] })),
        ("type", json!({ "maxLength": 316 })),
        ("observedGeneration", json!({ "minimum": 0 })),
    ];
    for (name, bound) in bounds {
        let property = object
            .get_mut("properties")
            .and_then(|properties| properties.get_mut(name));
        if let (Some(Value::Object(property)), Value::Object(bound)) = (property, bound) {
            property.extend(bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `look` with each schema below `schema` and its path.
    fn walk(path: &str, schema: &Value, look: &mut impl FnMut(&str, &Map<String, Value>)) {
        let Value::Object(object) = schema else { return };
        look(path, object);
        if let Some(Value::Object(properties)) = object.get("properties") {
            for (name, child) in properties {
                walk(&format!("{path}.{name}"), child, look);
            }
        }
        for key in ["items", "additionalProperties"] {
            if let Some(child) = object.get(key) {
                walk(&format!("{path}[]"), child, look);
            }
        }
    }

    fn each(look: &mut impl FnMut(&str, &Map<String, Value>)) {
        for definition in all() {
            let kind = definition["spec"]["names"]["kind"].as_str().unwrap().to_owned();
            let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
            for part in ["spec", "status"] {
                walk(&format!("{kind}.{part}"), &schema["properties"][part], look);
            }
        }
    }

    #[test]
    fn every_string_list_and_map_is_bounded() {
        let mut free = Vec::new();
        each(&mut |path, schema| {
            let bounded = match schema.get("type").and_then(Value::as_str) {
                Some("string") => {
                    schema.contains_key("maxLength")
                        || schema.contains_key("enum")
                        || schema.get("format") == Some(&json!("date-time"))
                }
                Some("array") => schema.contains_key("maxItems"),
                Some("object") if schema.contains_key("additionalProperties") => {
                    schema.contains_key("maxProperties")
                }
                _ => true,
            };
            if !bounded {
                free.push(path.to_owned());
            }
        });
        assert!(free.is_empty(), "unbounded: {free:#?}");
    }

    #[test]
    fn every_field_is_documented() {
        let mut silent = Vec::new();
        each(&mut |path, schema| {
            if !path.ends_with("[]") && !path.contains("[].io") && !schema.contains_key("description") {
                silent.push(path.to_owned());
            }
        });
        assert!(silent.is_empty(), "undocumented: {silent:#?}");
    }

    #[test]
    fn no_description_breaks_a_line_in_the_middle_of_a_paragraph() {
        let mut broken = Vec::new();
        each(&mut |path, schema| {
            let description = schema
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if description.replace("\n\n", "").contains('\n') {
                broken.push(path.to_owned());
            }
        });
        assert!(broken.is_empty(), "broken: {broken:#?}");
    }

    #[test]
    fn an_object_that_the_operator_has_not_seen_says_so() {
        for definition in all() {
            let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
            let status = &schema["properties"]["status"]["default"];
            assert_eq!(status["observedGeneration"], -1);
            let condition = &status["conditions"][0];
            assert_eq!(
                (&condition["type"], &condition["status"], &condition["reason"]),
                (&json!("Ready"), &json!("Unknown"), &json!("Pending"))
            );
        }
    }

    /// But for the status of an object that the operator has not seen.
    #[test]
    fn nothing_is_nullable_defaulted_or_unsigned() {
        let mut all = all();
        for definition in &mut all {
            let status =
                &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"];
            assert_eq!(
                status.as_object_mut().unwrap().remove("default"),
                Some(unobserved())
            );
        }
        let text = serde_json::to_string(&all).unwrap();
        for word in [
            "\"nullable\"",
            "\"default\":",
            "uint",
            "\"$ref\"",
            "\"additionalProperties\":false",
        ] {
            assert!(!text.contains(word), "{word} in a definition");
        }
    }

    #[test]
    fn every_kind_is_in_the_category_and_shows_readiness_and_age() {
        for definition in all() {
            let names = &definition["spec"]["names"];
            assert_eq!(names["categories"], json!(["monstrum"]));
            assert_eq!(names["shortNames"].as_array().unwrap().len(), 1);
            let columns: Vec<_> = definition["spec"]["versions"][0]["additionalPrinterColumns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|column| column["name"].as_str().unwrap().to_owned())
                .collect();
            assert!(columns.contains(&"Ready".to_owned()), "{names} shows {columns:?}");
            assert_eq!(columns.last().unwrap(), "Age");
        }
    }

    #[test]
    fn the_conditions_of_every_kind_are_keyed_by_type() {
        for definition in all() {
            let conditions = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
                ["properties"]["conditions"];
            assert_eq!(conditions["x-kubernetes-list-map-keys"], json!(["type"]));
        }
    }
}
